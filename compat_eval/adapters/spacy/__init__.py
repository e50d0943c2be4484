"""Parsers of spaCy: `spacy:`."""
