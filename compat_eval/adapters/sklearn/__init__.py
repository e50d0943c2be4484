"""Classifiers of scikit-learn, saved by skops: `sklearn:`."""
