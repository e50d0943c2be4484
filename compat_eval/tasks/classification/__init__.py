"""Text classification: one label an example."""
