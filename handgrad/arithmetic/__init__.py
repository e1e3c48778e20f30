"""Ball arithmetic on real numbers with rigorous bounds: arrays, two-term series, comparisons."""
