"""The run directory: what a comparison leaves behind, and how it is read again."""
