"""Runs of the caller's functions at points and on numbers that the caller did not choose."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import jax
import numpy as np


@contextmanager
def quiet() -> Iterator[None]:
    """Silence all warnings, and JAX's errors about numbers that are not finite."""
    with warnings.catch_warnings(), np.errstate(all="ignore"), jax.debug_nans(False):
        warnings.simplefilter("ignore")
        with jax.debug_infs(False):
            yield
