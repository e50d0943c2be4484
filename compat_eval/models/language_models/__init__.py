"""Small language models of our own, and how documents are read by any."""
