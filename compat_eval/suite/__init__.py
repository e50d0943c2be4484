"""Suites: YAML in, validated examples, slices and gates out."""
