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
from handgrad.arithmetic.smoothness import UndecidableKinkError
from handgrad.clock import limited
from handgrad.diagnosis import engine, samples
from handgrad.judging import losses, neighbours, trial
from handgrad.judging.jax_loss import JaxLoss
from handgrad.judging.numpy_loss import NumpyLoss
from handgrad.oracle.reference import UndecidableError
from handgrad.power import exact
from handgrad.shrinking import counterexample, shrinker, subjects


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


@pytest.fixture(scope="module")
def references() -> dict[Any, Any]:
    """The exact gradients that a module's tests have in common, and the programs they are of."""
    return {}


@pytest.fixture
def measured_once(references: dict[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The exact gradient at a point, and what rounding may do there, whatever the answer is.

    Also a loss's program, and JAX's gradient of a loop, which it compiles. All answers that are
    judged at one point share them; for losses so small that every element is certified, whichever
    is looked at first.
    """

    def kept(measured: Any) -> Any:
        def once(of: Any, given: Any, suspects: Any = ()) -> Any:
            key = measured.__name__, of.case.loss, *of.case.handed_on().values()
            key += given.paths, _arrays(given.params), _arrays(given.inputs)
            if key not in references:
                try:
                    references[key] = measured(of, given, suspects), None
                except (UndecidableError, UndecidableKinkError) as error:
                    references[key] = None, error
            found, error = references[key]
            if error:
                raise error
            return found

        return once

    def prepared(case: Any, given: Any) -> Any:
        # Inputs may decide how a loss is traced, so they are the same, not only alike.
        form = tuple((leaf.shape, str(leaf.dtype)) for leaf in given.leaves)
        key = case.loss, given.paths, form, _arrays(given.inputs)
        if key in references:
            return replace(references[key], case=case)
        found = losses.prepare(case, given)
        if isinstance(found, JaxLoss):
            references[key] = found
        return found

    for kind in (JaxLoss, NumpyLoss):
        monkeypatch.setattr(kind, "measured", kept(kind.measured))
        monkeypatch.setattr(kind, "reference", kept(kind.reference))
    monkeypatch.setattr(trial, "gated", lambda case, given, _: (prepared(case, given), None))
    for module in (samples, subjects):
        monkeypatch.setattr(module, "prepare", prepared)


@pytest.fixture
def hurried(
    measured_once: None,  # noqa: ARG001 (it comes first)
    references: dict[Any, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """JAX's gradient compiled at once, for tests that say nothing of it.

    People get it operation by operation, each of which is compiled: that takes a third of the time.
    """
    prepare = samples.prepare

    def prepared(case: Any, given: Any) -> Any:
        loss = prepare(case, given)
        if not isinstance(loss, JaxLoss) or case.autodiff or not loss.has_autodiff:
            return loss
        traced = loss.traced(given)
        if traced not in references:
            references[traced] = subjects._compiled(case, given, traced.differentiate)
        return replace(loss, case=replace(case, autodiff=references[traced]))

    monkeypatch.setattr(trial, "gated", lambda case, given, _: (prepared(case, given), None))
    for module in (samples, subjects):
        monkeypatch.setattr(module, "prepare", prepared)


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
