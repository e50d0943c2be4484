"""Clients and rounds: models that are updated from data that stay where they are."""
