"""Draw figures of stored results: times along an axis or of one cell, winners, the autodiff tax."""

from benchmarks.figures.drawing import draw

__all__ = ["draw"]
