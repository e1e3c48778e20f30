"""How long a gradient takes, by hand and by autodiff, against the floor."""
