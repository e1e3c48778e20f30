"""Time a gradient beside the autodiff of its loss, in alternating rounds."""
