"""What a check does, counted: whether it has become slower depends on no clock."""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, NamedTuple

import jax.monitoring
import numpy as np
import pytest

from handgrad import check_gradient
from handgrad.judging import verdict
from handgrad.oracle.numpy_losses import certify
from handgrad.program.interpreter import Run
from models import small
from models.perceptrons import MODELS as PERCEPTRONS
from models.recurrent import MODELS as RECURRENT
from models.sized import perceptron
from tests.handgrad.plain_losses import ALL as PLAIN


class Work(NamedTuple):
    """How often a check does what takes its time."""

    runs: int  #: evaluations of the loss, or of its gradient, in balls
    compiled: int  #: programs that JAX compiles
    calls: int  #: of the caller's loss and gradient


#: Besides the caller's. Which draw of data decides depends on the gradients' last digits, which
#: differ between processors: one more at a point is no more work.
POINTS = 2

#: The work of a first check, which is to grow for a reason alone. Counted with nothing compiled
#: before; after other tests less is left to compile.
MODELS: dict[str, tuple[Any, Work]] = {
    "linear": (small.LINEAR, Work(9, 1, 27)),
    "energy": (small.ENERGY, Work(9, 10, 27)),
    "relu": (next(m for m in PERCEPTRONS if "relu" in m.name), Work(10, 1, 27)),
    "scan": (next(m for m in RECURRENT if "scan" in m.name), Work(13, 1, 27)),
    "wide": (perceptron((20, 32, 5), 16), Work(14, 1, 27)),
    "numpy": (PLAIN["huber"], Work(17, 0, 58)),
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


def work(model: Any, counts: Counter[str]) -> Work:
    loss, gradient = (counted(f, counts, "calls") for f in (model.loss, model.gradient))
    point = model.draw(np.random.default_rng(20251201))  # no other test's: checks share references
    assert check_gradient(gradient, loss, *point, points=POINTS).verdict == "agree"
    return Work(*(counts[what] for what in Work._fields))


@pytest.mark.parametrize("name", MODELS)
def test_a_check_does_no_more_than_it_did(name: str, counts: Counter[str]) -> None:
    model, most = MODELS[name]
    done = work(model, counts)
    assert done.runs <= most.runs + 1 + POINTS
    assert done.compiled <= most.compiled
    assert done.calls <= most.calls


def test_full_tolerances_of_a_right_gradient_would_be_noticed(
    counts: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A warning asked for them at every point once, and checks took four times as long."""
    model, most = MODELS["linear"]

    def asked(rulings: Any, part: bool) -> list[str]:
        del part
        return [str(r.tolerance) for r in rulings][:0]

    monkeypatch.setattr(verdict, "blind_spots", asked)
    assert work(model, counts).runs > most.runs + 1 + POINTS
