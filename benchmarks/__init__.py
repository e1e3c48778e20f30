"""Time gradients by hand and by autodiff against the floor; compare gradient checkers.

A new case goes into `cases`, a new contender into `contenders`, a new checker into `checkers`.
"""
