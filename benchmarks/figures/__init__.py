"""Figures of stored results: times along an axis, of one cell, who wins where, the autodiff tax."""

from benchmarks.figures.drawing import CannotDrawError, draw

__all__ = ["CannotDrawError", "draw"]
