"""Which architecture of a small encoder of queries suits a large encoder's index."""
