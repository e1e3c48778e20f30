"""Parameters that are updated before they are used, where the loss has a penalty."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient
from tests.tiers import slowly

RNG = np.random.default_rng(4)
SIZES = {"v": (3, 5), "m": (5, 2), "s": (5, 4), "r": (5, 6)}
PARAMS = {name: RNG.normal(size=size) for name, size in SIZES.items()}
X, Y, T = RNG.normal(size=(7, 3)), RNG.normal(size=(7, 2)), RNG.normal(size=(7, 4))
DECAY, RATE = 0.05, 0.3


def loss(p: Any, x: Any, y: Any, t: Any) -> Any:
    """Three heads on one hidden layer; the penalties as v² and as m·m."""
    h = jnp.tanh(x @ p["v"])
    errors = jnp.sum((h @ p["m"] - y) ** 2) + jnp.sum((h @ p["s"] - t) ** 2)
    errors += jnp.sum((h @ p["r"]) ** 2)
    m = p["m"].reshape(-1)
    return errors + DECAY * (jnp.sum(p["v"] ** 2) + m @ m)


def passed_on(p: Any, x: Any, y: Any, t: Any, used: Any) -> Any:
    """The derivatives without penalties, the heads that they come back through given by `used`."""
    h = np.tanh(x @ p["v"])
    dy, dt, dr = 2 * (h @ p["m"] - y), 2 * (h @ p["s"] - t), 2 * (h @ p["r"])
    own = {"m": h.T @ dy, "s": h.T @ dt, "r": h.T @ dr}
    m, s = used(p, own)
    dh = dy @ m.T + dt @ s.T + dr @ p["r"].T
    return own | {"v": x.T @ (dh * (1 - h * h)), "moved": m}


def differentiated(used: Any, late: bool) -> Any:
    """The penalty comes at the end: of the parameters as they were, or as the update leaves m."""

    def gradient(p: Any, x: Any, y: Any, t: Any) -> Any:
        found = passed_on(p, x, y, t, used)
        dm = found["m"] + 2 * DECAY * (found["moved"] if late else p["m"])
        dv = found["v"] + 2 * DECAY * p["v"]
        return {"v": dv, "m": dm, "s": found["s"], "r": found["r"]}

    return gradient


def one(p: Any, own: Any) -> Any:
    """One head, without its penalty."""
    return p["m"] - RATE * own["m"], p["s"]


def with_penalty(p: Any, own: Any) -> Any:
    """One head, by all of its derivative."""
    return p["m"] - RATE * (own["m"] + 2 * DECAY * p["m"]), p["s"]


def both(p: Any, own: Any) -> Any:
    """Both heads, without a penalty."""
    return p["m"] - RATE * own["m"], p["s"] - RATE * own["s"]


@pytest.mark.parametrize(
    ("gradient", "which"),
    [
        slowly(
            differentiated(with_penalty, late=False),
            "params['m'] is updated too early, by 0.3 times yours",
        ),
        slowly(
            differentiated(one, late=False),
            "params['m'] is updated too early, by 0.3 times yours without the loss's weight decay",
        ),
        slowly(
            differentiated(with_penalty, late=True),
            "params['m'] is updated too early, by 0.3 times yours, before the weight decay is "
            "differentiated",
        ),
        slowly(
            differentiated(one, late=True),
            "params['m'] is updated too early, by 0.3 times yours without the loss's weight decay, "
            "before the weight decay is differentiated",
        ),
        slowly(
            differentiated(both, late=False),
            "params['m'], params['s'] are updated too early, by 0.3 times yours without",
        ),
    ],
)
def test_what_is_updated_with_what_and_when(gradient: Any, which: str) -> None:
    (told,) = check_gradient(gradient, loss, PARAMS, X, Y, T, points=0).diagnoses
    assert told.kind == "updated-parameter"
    assert which in told.says
