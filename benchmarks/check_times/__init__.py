"""The time of a check: `check_gradient` and other checkers, on models of many sizes.

A new model is a row of `subjects.SUBJECTS`.
"""
