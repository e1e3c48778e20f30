"""The same comparison of checkers on Jacobians, Hessians, complex gradients and rules of JAX.

A new checker is a row of `contenders`; functions and mistakes come from `models.derivatives`.
"""
