"""The sequence-to-sequence semantic parser."""
