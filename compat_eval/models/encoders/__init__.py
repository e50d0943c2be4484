"""Frozen encoders: what turns inputs into vectors that trainings read."""
