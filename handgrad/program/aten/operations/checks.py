"""Questions about all elements, by which PyTorch checks what it is given."""

from typing import Any

import jax.numpy as jnp

from handgrad.program.aten.registry import operation


@operation("_is_all_true")
def is_all_true(x: Any) -> Any:
    """Tell whether all elements are true, as the parameters of a distribution must be valid."""
    return jnp.all(x)


@operation("_is_any_true")
def is_any_true(x: Any) -> Any:
    """Tell whether an element is true."""
    return jnp.any(x)


@operation("_assert_async", "_assert_async.msg")
def no_check(x: Any, assert_msg: str = "") -> None:
    """Do nothing: an assertion about values that are traced cannot fail."""
