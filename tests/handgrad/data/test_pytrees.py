"""Pytrees of real arrays."""

import jax
import jax.numpy as jnp
import numpy as np

from handgrad.data.pytrees import weighed


def test_results_in_a_dtype_of_their_own_are_weighed_where_promotion_is_strict() -> None:
    """A kernel that answers in bfloat16 is rerun in float64, to tell rounding from mistakes."""
    with jax.enable_x64(True), jax.numpy_dtype_promotion("strict"):
        outputs = [jnp.array([0.5, -1.5], jnp.bfloat16), jnp.array([2.0])]
        found = weighed(outputs, [np.array([0.1, 0.3]), np.array([0.25], np.float32)])
    assert (found.dtype, float(found)) == (np.float64, 0.5 * 0.1 - 1.5 * 0.3 + 0.5)
