"""How fast a gradient is, beside the autodiff of its loss."""
