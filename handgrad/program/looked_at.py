"""Whether code asks for the value of what JAX is tracing, and goes on when it gets none."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax


@contextmanager
def looked_at() -> Iterator[list[str]]:
    """Record each refusal of JAX to give a value, also those that the code catches.

    Code that is never refused cannot tell a tracer from an array by its value.
    """
    found: list[str] = []
    kinds = jax.errors.JAXTypeError, jax.errors.JAXIndexError
    before = [vars(kind).get("__init__") for kind in kinds]

    def recording(kind: Any) -> Any:
        def init(self: Any, message: str) -> None:
            found.append(type(self).__name__)
            super(kind, self).__init__(message)

        return init

    for kind in kinds:
        kind.__init__ = recording(kind)
    try:
        yield found
    finally:
        for kind, init in zip(kinds, before, strict=True):
            if init is None:
                del kind.__init__
            else:
                kind.__init__ = init
