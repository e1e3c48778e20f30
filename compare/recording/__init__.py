"""Run the hand-written lines on numbers that record their operations, names and formulas.

A `number` holds a float and the operation that produced it, `watching` records the names that the
lines give to numbers, `formula` writes a recorded number as a formula, and `program` turns a
recording into a program for the page.
"""
