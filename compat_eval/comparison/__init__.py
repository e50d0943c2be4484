"""Align two models' predictions, count their flips, estimate, and judge."""
