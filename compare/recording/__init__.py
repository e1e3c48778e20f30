"""Run the hand-written lines on numbers that record their operations, names and formulas.

A `number` holds a float and the operation that produced it, `watching` records the names that the
lines give to numbers, and `formula` writes a recorded number as a formula.
"""
