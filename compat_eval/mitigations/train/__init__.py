"""Mitigations that train a model."""
