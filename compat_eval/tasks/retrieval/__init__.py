"""Retrieval: a ranking of documents for each query."""
