"""Models from a Python factory: `python:`."""
