"""The contenders that are timed: ways to compute a loss and its gradient, by family of problems.

Add one of our own to the module of its family, a library's to `peers`; its name goes into `names`.
"""
