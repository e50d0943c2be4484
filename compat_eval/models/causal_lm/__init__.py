"""Causal language models that are trained towards OLD, token by token."""
