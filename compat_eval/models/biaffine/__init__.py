"""The biaffine dependency parser."""
