"""One file for each way to load a model."""
