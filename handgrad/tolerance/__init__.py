"""The tolerance of each element: how far conditioning and ordinary rounding may move it."""
