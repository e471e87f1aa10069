"""Valid input, mutated in its structure, through every way in: each ends in a clear error or a right answer."""
