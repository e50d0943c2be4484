"""The reference PyTorch networks, one a file."""
