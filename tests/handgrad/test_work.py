"""What a check does, counted: whether it has become slower depends on no clock."""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, NamedTuple

import jax
import jax.monitoring
import numpy as np
import pytest

from handgrad import check_gradient
from handgrad.judging import gate, verdict
from handgrad.oracle.numpy_losses import certify
from handgrad.program.interpreter import Run
from models import small
from models.perceptrons import MODELS as PERCEPTRONS
from models.recurrent import MODELS as RECURRENT
from models.sized import perceptron
from tests.corpus.rows.numpy_losses import PLAIN


class Work(NamedTuple):
    """How often a check does what takes its time."""

    runs: int  #: evaluations of the loss, or of its gradient, in balls
    compiled: int  #: programs that JAX compiles
    calls: int  #: of the caller's loss and gradient


#: Besides the caller's. Which draw of data decides depends on the gradients' last digits, which
#: differ between processors: one more at a point is no more work.
POINTS = 2

#: The work of a first check at `POINTS` others and at none, which is to grow for a reason alone.
#: Counted with nothing compiled before; after other tests less is left to compile.
MODELS: dict[str, tuple[Any, Work, Work]] = {
    "linear": (small.LINEAR, Work(9, 1, 27), Work(5, 1, 23)),
    "energy": (small.ENERGY, Work(11, 10, 29), Work(5, 10, 23)),
    "relu": (next(m for m in PERCEPTRONS if "relu" in m.name), Work(10, 1, 27), Work(6, 1, 23)),
    "scan": (next(m for m in RECURRENT if "scan" in m.name), Work(13, 1, 27), Work(7, 1, 23)),
    "wide": (perceptron((20, 32, 5), 16), Work(14, 1, 27), Work(7, 1, 23)),
    "numpy": (PLAIN["huber"], Work(19, 0, 82), Work(12, 0, 44)),
}


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """What is done, as it happens."""
    found: Counter[str] = Counter()

    def listen(event: str, duration_secs: float, **kwargs: str | int) -> None:
        del duration_secs, kwargs
        found["compiled"] += event.endswith("backend_compile_duration")

    for kind in (Run, certify.NumpyRun):
        monkeypatch.setattr(kind, "__init__", counted(kind.__init__, found, "runs"))
    jax.monitoring.register_event_duration_secs_listener(listen)
    yield found
    jax.monitoring.unregister_event_duration_listener(listen)


def counted(function: Callable[..., Any], found: Counter[str], what: str) -> Callable[..., Any]:
    @wraps(function)
    def called(*arguments: Any, **options: Any) -> Any:
        found[what] += 1
        return function(*arguments, **options)

    return called


def work(model: Any, counts: Counter[str], points: int = POINTS) -> Work:
    loss, gradient = (counted(f, counts, "calls") for f in (model.loss, model.gradient))
    point = model.draw(np.random.default_rng(20251201))  # no other test's: checks share references
    assert check_gradient(gradient, loss, *point, points=points).verdict == "agree"
    return Work(*(counts[what] for what in Work._fields))


@pytest.mark.parametrize("points", [POINTS, 0])
@pytest.mark.parametrize("name", MODELS)
def test_a_check_does_no_more_than_it_did(name: str, points: int, counts: Counter[str]) -> None:
    model, at_points, at_one = MODELS[name]
    most = at_points if points else at_one
    done = work(model, counts, points)
    assert done.runs <= most.runs + 1 + points
    assert done.compiled <= most.compiled
    assert done.calls <= most.calls


@pytest.mark.parametrize(("name", "times"), [("linear", 3), ("numpy", 3 + 2 * 2)])
def test_the_gate_calls_the_loss_as_often_as_is_said(
    name: str, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On arrays of floats, as docs/checking.md says of a check at one point."""
    model, *_ = MODELS[name]
    point, seen = model.draw(np.random.default_rng(20251201)), []

    def loss(*arguments: Any) -> Any:
        leaf = jax.tree_util.tree_leaves(arguments)[0]
        seen.append(isinstance(leaf, np.ndarray) and leaf.dtype != object)
        return model.loss(*arguments)

    def calls() -> int:
        seen.clear()
        assert check_gradient(model.gradient, loss, *point, points=0).verdict == "agree"
        return sum(seen)

    with_it = calls()
    monkeypatch.setattr(gate.Gate, "hold", lambda *_: None)
    assert with_it - calls() == times


def test_full_tolerances_of_a_right_gradient_would_be_noticed(
    counts: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A warning asked for them at every point once, and checks took four times as long."""
    model, most, _ = MODELS["linear"]

    def asked(rulings: Any, part: bool) -> list[str]:
        del part
        return [str(r.tolerance) for r in rulings][:0]

    monkeypatch.setattr(verdict, "blind_spots", asked)
    assert work(model, counts).runs > most.runs + 1 + POINTS
