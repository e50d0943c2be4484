"""Where the data of a suite come from, and how files are read."""
