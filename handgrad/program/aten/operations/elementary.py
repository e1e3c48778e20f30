"""Functions that PyTorch would write with fewer digits, or with a gap in a slope."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from handgrad.program.aten.operations.promotion import inexact, promoted, wide
from handgrad.program.aten.registry import operation

_OF_REALS: dict[str, Callable[[Any], Any]] = {
    "sigmoid": jax.nn.sigmoid,
    "sinc": jnp.sinc,
    "special_log_ndtr": jax.scipy.special.log_ndtr,
}

for _name, _function in _OF_REALS.items():
    operation(_name)(lambda x, f=_function: f(wide(inexact(x))))


@operation("polygamma")
def polygamma(n: int, x: Any) -> Any:
    """Return the n-th derivative of digamma."""
    x = wide(inexact(x))
    if n == 0:
        return lax.digamma(x)
    return lax.polygamma(jnp.full_like(x, n), x)


for _name, _log_of_sum in {"logaddexp": jnp.logaddexp, "logaddexp2": jnp.logaddexp2}.items():
    operation(_name)(lambda x, y, f=_log_of_sum: f(*map(wide, promoted(x, y, floats=True))))


def _times_log(log: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """Make x·log(y), which is 0 where x is 0, unless y is NaN."""

    def function(x: Any, y: Any) -> Any:
        x, y = (jnp.asarray(wide(each)) for each in promoted(x, y, floats=True))
        product = jnp.where(x == 0, 0.0, x) * log(jnp.where(x == 0, 1.0, y))
        return jnp.where(jnp.isnan(y), jnp.nan, product)

    return function


operation("xlogy.Tensor", "xlogy.Scalar_Self", "xlogy.Scalar_Other")(_times_log(jnp.log))
operation("special_xlog1py", "special_xlog1py.self_scalar", "special_xlog1py.other_scalar")(
    _times_log(jnp.log1p)
)
