"""Runs of the caller's functions at points and on numbers that the caller did not choose."""

import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np


@contextmanager
def quiet() -> Iterator[None]:
    """Silence all warnings, and JAX's errors about numbers that are not finite.

    MINPACK, which `fsolve` calls, prints what is raised in a function that it is given; that also
    is silent, and is raised.
    """
    told_of, here, over = sys.excepthook, threading.get_ident(), False

    def hook(*error: Any) -> None:
        if over or threading.get_ident() != here:
            told_of(*error)

    sys.excepthook = hook
    with warnings.catch_warnings(), np.errstate(all="ignore"), jax.debug_nans(False):
        warnings.simplefilter("ignore")
        try:
            with jax.debug_infs(False):
                yield
        finally:
            over = True
            if sys.excepthook is hook:
                sys.excepthook = told_of
