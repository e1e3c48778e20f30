"""A proof that the hand-written lines are the derivative of the loss, for all real numbers.

The lines run on `number`s whose leaves are elements of a `field` of formulas, with all `cases` of
signs kept; `prove` differentiates the loss there and compares. What differs is refuted on `balls`
at a point (`refute`). `article` and `network` say what is proved, `lemmas` and `least_squares` what
else; `asked`, `result`, `formula` and `reading` are how it is asked for and how it reads.
"""
