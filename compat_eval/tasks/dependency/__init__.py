"""Dependency parsing: labelled trees over words, in CoNLL-U."""
