"""The foreign gradients, a file for each group of packages; see `tests.attack.foreign.subject`."""
