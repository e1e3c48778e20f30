"""What the judge is evaluated on: data and commands; what must hold is in `tests/`."""
