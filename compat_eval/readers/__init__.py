"""Prediction files and earlier runs, read as `Predictions`."""
