"""Prove for all real numbers that what is written by hand computes the derivatives.

The lines run on `number`s whose leaves are elements of a `field` of formulas, with all `cases` of
signs kept; `prove` differentiates the loss there and compares. Where they differ, `refute` finds a
point, with ball arithmetic (`balls`). `article` and `network` define what is proved, `lemmas` and
`least_squares` further claims; `request` holds the options, `result`, `formula` and `reading` the
output.
"""
