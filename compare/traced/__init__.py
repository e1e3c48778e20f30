"""Traces of one pass: each number with name, formula and exact value, to explain and to show."""
