"""What a number means: one family a file; rows in, value out; numpy only."""
