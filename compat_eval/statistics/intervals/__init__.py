"""How far a number could have moved by chance: bounds, p-values, intervals."""
