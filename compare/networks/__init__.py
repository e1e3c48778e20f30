"""Networks by both in lockstep, and their bounds: an activation is a row of `functions.py`."""
