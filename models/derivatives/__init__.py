"""Hand-written Jacobians, Hessians, complex gradients and rules of JAX, right and with mistakes.

A new one is a row of its module's `MODELS`.
"""
