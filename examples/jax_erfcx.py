"""A derivative rule of JAX that loses digits: erfcx, the scaled complementary error function.

`jax.scipy.special.erfcx` is a `jax.custom_jvp` whose rule is 2x·erfcx(x) - 2/√π, for large x the
difference of two numbers close to 2/√π: at 10,000 eight digits are left (seen in jax 0.10.2), where
the function itself has all of them. Longer floats would not help, because erfcx is a fit with an
error of 1e-16, which the rule multiplies by x²; half an ulp in the constants of the fit does as
much, so that it counts as rounding.

The derivative of `jnp.sinc` loses its digits towards 0 in jax 0.10.2, where only 0 itself has a
rule of its own; jax 0.12.0 sums a polynomial around it, and keeps them.
"""

import jax
import jax.numpy as jnp
import numpy as np

from handgrad import check_custom, check_gradient
from handgrad.report import GradientReport


def report(x: float = 1e4) -> GradientReport:
    """Check the derivative rule of erfcx at x; the numbers are a random factor times it."""
    return check_custom(jax.scipy.special.erfcx, np.array(x), points=0)


def report_on_sinc(x: float = 1e-5) -> GradientReport:
    """Check JAX's derivative of sinc at x."""
    return check_gradient(jax.grad(jnp.sinc), jnp.sinc, np.array(x), points=0)


if __name__ == "__main__":
    print("jax.scipy.special.erfcx at 10000, its derivative rule:", report(), sep="\n\n")
    print("\njnp.sinc at 0.00001, its derivative by jax.grad:", report_on_sinc(), sep="\n\n")
