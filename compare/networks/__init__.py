"""Networks by hand and by autodiff, in lockstep and in bounds; an activation: `functions.py`."""
