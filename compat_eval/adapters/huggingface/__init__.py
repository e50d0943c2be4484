"""Classifiers of transformers: `hf:`."""
