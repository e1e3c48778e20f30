"""A loss as a traced program: how it is traced, run and walked, and a rule for each operation."""
