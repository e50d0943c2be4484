"""Causal language models of transformers, trained towards teachers by tokens."""
