"""Free text as an answer: read, matched with gold, graded by others, sampled often."""
