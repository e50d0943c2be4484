"""Linear-quadratic fine-tuning: linear in the weights, quadratic in the loss."""
