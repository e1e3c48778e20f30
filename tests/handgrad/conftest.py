"""What the tests of the judge share."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jax
import numpy as np
import pytest

from handgrad import diagnosis, power
from handgrad.diagnosis import engine, samples
from handgrad.judging import neighbours, trial
from handgrad.shrinking import shrinker


@pytest.fixture(scope="module", autouse=True)
def compiled_once() -> Iterator[None]:
    """Compiling a loss's backpropagation takes most of a diagnosis, and a module's tests share it.

    It is the same for the same loss, the same inputs, and parameters of the same form.
    """
    made: dict[Any, engine.Engine] = {}

    def shared(loss: Any, given: Any, exact: Any) -> engine.Engine:
        inputs = [np.asarray(v) for v in jax.tree.leaves(given.inputs)]
        forms = [(v.shape, str(v.dtype)) for v in (*given.leaves, *inputs)]
        key = loss, str(forms), tuple(v.tobytes() for v in inputs)
        if key not in made:
            made[key] = engine.engine(loss, given, exact)
        # What was computed at points of an earlier test is not ours.
        return replace(made[key], _right={})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(samples, "engine", shared)
        yield


@pytest.fixture(scope="module", autouse=True)
def patience() -> Iterator[None]:
    """What is found must not depend on how busy this machine is."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (diagnosis, neighbours, power, samples, shrinker, trial):
            patch.setattr(module, "SECONDS", 600.0)
        yield
