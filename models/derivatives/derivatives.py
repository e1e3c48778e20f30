"""All derivatives by hand of this package, in the order of their kinds."""

from models.derivatives import complex_gradients, hessians, jacobians, rules

DERIVATIVES = (
    *jacobians.MODELS,
    *hessians.MODELS,
    *complex_gradients.MODELS,
    *rules.MODELS,
)
