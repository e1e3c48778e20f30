"""Families of functions that are easily taken for others, with right and wrong derivatives."""
