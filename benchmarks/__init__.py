"""Time gradients by hand and by autodiff; compare checkers. Cases are listed in `cases.py`.

A new case goes into `cases`, a new contender into `contenders`, a new checker into `checkers`.
"""
