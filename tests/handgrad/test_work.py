"""What a check does, counted: whether it has become slower depends on no clock."""

from typing import Any, NamedTuple

import jax
import jax.monitoring
import numpy as np
import pytest

from handgrad import check_gradient
from models import regressions, small
from models.layers import MODELS as LAYERS
from tests.corpus.rows.numpy_losses import PLAIN


class Work(NamedTuple):
    """How often a check does what takes its time."""

    compiled: int  #: programs that JAX compiles
    calls: int  #: of the caller's loss and gradient


#: The work of a first check at two other points, which is to grow for a reason alone.
#: Counted with nothing compiled before; after other tests less is left to compile.
MODELS: dict[str, tuple[Any, Work]] = {
    "linear": (regressions.MODELS[0], Work(1, 27)),
    "energy": (small.ENERGY, Work(10, 29)),
    "scan": (next(m for m in LAYERS if "scan" in m.name), Work(1, 27)),
    "numpy": (PLAIN["huber"], Work(0, 82)),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_check_does_no_more_than_it_did(name: str) -> None:
    model, most = MODELS[name]
    done = {"compiled": 0, "calls": 0}

    def listen(event: str, duration_secs: float, **_: str | int) -> None:
        del duration_secs
        done["compiled"] += event.endswith("backend_compile_duration")

    def counted(function: Any) -> Any:
        def called(params: Any, *inputs: Any) -> Any:
            done["calls"] += 1
            return function(params, *inputs)

        return called

    rng = np.random.default_rng(20251201)  # no other test's: checks share references
    point = jax.tree.map(np.asarray, model.draw(rng))
    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        report = check_gradient(counted(model.by_hand), counted(model.function), *point, points=2)
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
    assert report.verdict == "agree"
    assert done["compiled"] <= most.compiled
    assert done["calls"] <= most.calls
