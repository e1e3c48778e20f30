"""Settings under which trainings are tested."""

from collections.abc import Iterator

import jax
import pytest


@pytest.fixture(autouse=True)
def usual_dtypes(strict_jax: None) -> Iterator[None]:  # noqa: ARG001 (it must have begun)
    """optax's Adam takes a float to the power of an integer, which strict JAX refuses."""
    with jax.numpy_dtype_promotion("standard"):
        yield
