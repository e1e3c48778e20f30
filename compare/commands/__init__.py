"""What the commands of `python -m compare` do; what may be typed is in `compare.cli`."""
