"""Losses of encoders that are trained to be compatible with OLD's index.

One published method a file: pure functions of NEW's vectors, OLD's stored ones and the
labels, beside the loss of the task itself. Each is a mean over the vectors of a batch.
Nothing of OLD gets a gradient.
"""
