"""Semantic parsing: trees of intents and slots."""
