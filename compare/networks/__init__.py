"""Train networks of any shape by both in lockstep; activations have a row in `functions.py`."""
