"""The contenders that are timed: ways to compute a loss and its gradient, by family of problems.

A new one is a row of `families`; a library's function goes into `peers`, the name into `names`.
"""
