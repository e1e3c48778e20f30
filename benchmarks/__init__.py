"""Time gradients by hand and by autodiff; compare checkers, and time them.

A new case goes into `cases`, a new contender into `contenders`, and a new checker, or a model for
the times of checks, into `checkers`.
"""
