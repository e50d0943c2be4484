"""What each statistic means: summed rows in, a number out; one family a file."""
