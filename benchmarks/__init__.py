"""Time gradients by hand and by autodiff; compare checkers, and time them.

A new case goes into `cases`, a new contender into `contenders`, a new checker into `checkers`, and
a new model for the times of checks into `check_times`.
"""
