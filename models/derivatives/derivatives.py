"""All derivatives by hand of this package, in the order of their kinds."""

from models.derivatives import complex_gradients, hessians, jacobians, products, rules, systems

DERIVATIVES = (
    jacobians.EXPONENTIALS,
    systems.BAND,
    jacobians.ARM,
    systems.REACTIONS,
    jacobians.SOFTMAX,
    hessians.ROSENBROCK,
    hessians.LOGISTIC,
    hessians.MIXTURE,
    products.ROSENBROCK,
    products.COUNTS,
    complex_gradients.RESIDUALS,
    complex_gradients.PHASES,
    complex_gradients.SPECTRUM,
    complex_gradients.RAYLEIGH,
    rules.SOFTPLUS,
    rules.LENGTH,
    rules.SOLVE,
)

KINDS = tuple(dict.fromkeys(derivative.kind for derivative in DERIVATIVES))
