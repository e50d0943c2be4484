"""Mitigations that combine models that exist."""
