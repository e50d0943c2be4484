"""Numbers with their intervals, from sums over examples; numpy and scipy only."""
