"""Answers without gold: whether they stayed the same, and nothing else."""
