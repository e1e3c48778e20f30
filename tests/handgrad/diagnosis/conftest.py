"""What the tests of the diagnosis share."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from handgrad.diagnosis import engine, samples


@pytest.fixture(scope="module")
def compiled_once() -> Iterator[None]:
    """Compiling a loss's backpropagation takes most of a diagnosis, and its tests share it."""
    made: dict[Any, engine.Engine] = {}

    def shared(loss: Any, given: Any, exact: Any) -> engine.Engine:
        if loss not in made:
            made[loss] = engine.engine(loss, given, exact)
        # What was computed at points of an earlier test is not ours.
        return replace(made[loss], _right={})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(samples, "engine", shared)
        yield
