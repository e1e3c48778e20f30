"""Time a gradient and the autodiff of its loss; the rounds of `benchmarks/` are timed here too."""
