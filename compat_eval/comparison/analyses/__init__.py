"""Further findings about the flips of a comparison."""
