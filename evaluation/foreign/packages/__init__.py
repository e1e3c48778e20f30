"""The foreign gradients, a file for each group of packages; see `evaluation.foreign.subject`."""
