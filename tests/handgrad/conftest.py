"""What the tests of the judge share."""

import gc
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
import pytest

from handgrad import clock, report
from handgrad.clock import limited
from handgrad.diagnosis import engine, samples
from handgrad.judging import neighbours, trial
from handgrad.power import exact
from handgrad.shrinking import counterexample, shrinker


@pytest.fixture
def own_garbage() -> Iterator[None]:
    """Garbage is looked for among what a test has made: among all objects, that takes a second."""
    gc.freeze()
    yield
    gc.unfreeze()


def _arrays(tree: Any) -> tuple[Any, ...]:
    arrays = [np.asarray(leaf) for leaf in jax.tree.leaves(tree)]
    return tuple((array.shape, str(array.dtype), array.tobytes()) for array in arrays)


@pytest.fixture(scope="module", autouse=True)
def compiled_once() -> Iterator[None]:
    """Compiling a loss's backpropagation takes most of a diagnosis, and a module's tests share it.

    It is the same for the same loss, the same inputs, and parameters of the same form.
    """
    made: dict[Any, engine.Engine] = {}

    def of_loss(loss: Any, given: Any, exact: Any, domains: Any = ()) -> engine.Engine:
        forms = tuple((v.shape, str(v.dtype)) for v in given.leaves)
        key = loss, forms, _arrays(given.inputs)
        if key not in made:
            made[key] = engine.engine(loss, given, exact)
        # What was computed at points of an earlier test is not ours.
        return replace(made[key], _right={}, domains=domains)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(samples, "engine", of_loss)
        yield


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that both clocks of handgrad show, however fast this machine is."""
    shown = [0.0]
    read = {name: lambda: shown[0] for name in ("perf_counter", "process_time")}
    monkeypatch.setattr(clock, "time", SimpleNamespace(**read))
    return shown


@pytest.fixture(scope="module", autouse=True)
def patience() -> Iterator[None]:
    """What is found must not depend on how busy this machine is."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (exact, neighbours, shrinker):
            patch.setattr(module, "SECONDS", 600.0)
        patch.setattr(trial, "limited", lambda seconds: limited(30 * seconds))
        patch.setattr(report, "FOR_READING", 30.0)
        patch.setattr(counterexample, "FOR_SEARCH", 30.0)
        yield
