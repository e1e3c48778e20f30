"""Loops that may not end are told from those of what ends."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import pytest

from handgrad.program.ending import LoopError, before_loops


def by_while(x: Any) -> Any:
    return jax.lax.while_loop(lambda v: v < 3.0, lambda v: v + 1.0, x)


def by_scan(x: Any) -> Any:
    """JAX compiles it as a loop that the code does not have."""
    return jax.lax.scan(lambda v, _: (v + 1.0, None), x, length=3)[0]


@pytest.mark.parametrize("within", [lambda f: f, jax.jit], ids=["alone", "compiled"])
def test_a_scan_ends(within: Callable[[Any], Any]) -> None:
    with before_loops():
        assert within(lambda x: by_scan(x))(jnp.zeros(())) == 3.0
        with pytest.raises(LoopError):
            within(lambda x: by_while(x))(jnp.zeros(()))
