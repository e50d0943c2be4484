"""Training: the command, the loop, checkpoints."""
