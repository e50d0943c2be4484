"""Upgrading an encoder whose index stays: adapters of vectors, without retraining."""
