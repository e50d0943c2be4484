"""Vectors of a model: where they come from, their files, and what is near in them."""
