"""Hand-written Jacobians, Hessians, complex gradients and rules of JAX, right and with mistakes.

A new one is a row of its module's `MODELS`.
"""

from models.derivatives import complex_gradients, hessians, jacobians, rules

#: All of them, in the order of their kinds.
DERIVATIVES = (*jacobians.MODELS, *hessians.MODELS, *complex_gradients.MODELS, *rules.MODELS)
