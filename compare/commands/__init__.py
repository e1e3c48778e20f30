"""One module per command of `python -m compare`. What computes is imported inside the functions."""
