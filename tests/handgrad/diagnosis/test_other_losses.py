"""Mistakes that no factor and no missing term shows, each in a small loss: what they are called."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient
from tests.tiers import one_of_each

pytestmark = pytest.mark.usefixtures("hurried")

RNG = np.random.default_rng(5)
Gradient = Callable[..., Any]


class Wrong(NamedTuple):
    """A loss, a wrong gradient of it, a point, and the kind and words that name the mistake."""

    loss: Callable[..., Any]
    gradient: Gradient
    point: tuple[Any, ...]
    kind: str
    says: str


# A guard that the loss lacks; ε inside and outside the root; n - 1 for n.

P, Y = np.abs(RNG.normal(size=5)) + 0.2, np.abs(RNG.normal(size=5))
W, X, T = RNG.normal(size=(3, 4)), RNG.normal(size=(7, 3)), RNG.normal(size=(7, 4))


def entropy(p: Any, y: Any) -> Any:
    return -jnp.sum(y * jnp.log(p))


def normalised(inside: float, outside: float) -> Any:
    def loss(w: Any, x: Any, t: Any) -> Any:
        z = x @ w
        centred = z - z.mean(axis=0)[None, :]
        root = jnp.sqrt(jnp.mean(centred**2, axis=0) + inside)
        return jnp.sum(t * centred / (root + outside)[None, :])

    return loss


def of_normalised(deviation: Callable[[Any], Any]) -> Gradient:
    """As it is always written, with the standard deviation for its own root."""

    def gradient(w: Any, x: Any, t: Any) -> Any:
        z = x @ w
        centred = z - z.mean(axis=0)
        s = deviation(centred)
        n = centred / s
        return x.T @ ((t - t.mean(axis=0) - n * (t * n).mean(axis=0)) / s)

    return gradient


def inside(epsilon: float, less: int = 0) -> Gradient:
    return of_normalised(lambda c: np.sqrt((c * c).sum(axis=0) / (len(c) - less) + epsilon))


def outside(epsilon: float) -> Gradient:
    return of_normalised(lambda c: np.sqrt((c * c).mean(axis=0)) + epsilon)


CONSTANTS = {
    "guard of a logarithm": (entropy, lambda p, y: -y / (p + 1e-6), (P, Y)),
    **{
        name: (normalised(*epsilons), gradient, (W, X, T))
        for name, epsilons, gradient in (
            ("guard of a root", (0.0, 0.0), inside(1e-5)),
            ("guard of a denominator", (0.0, 0.0), outside(1e-8)),
            ("another guard", (1e-5, 0.0), inside(1e-3)),
            ("no guard", (1e-5, 0.0), inside(0.0)),
            ("ε outside", (1e-5, 0.0), outside(1e-5)),
            ("ε inside", (0.0, 1e-3), inside(1e-3)),
            ("n - 1", (1e-5, 0.0), inside(1e-5, less=1)),
        )
    },
}
SAYS = {
    "guard of a logarithm": "if 1e-6 were added to the argument of log",
    "guard of a root": "if 1e-5 were added to the argument of the root",
    "guard of a denominator": "if 1e-8 were added to the root",
    "another guard": "if the 1e-5 in the loss were 0.001",
    "no guard": "if the 1e-5 in the loss were 0",
    "ε outside": "if the 1e-5 were outside the root, not inside",
    "ε inside": "if the 0.001 were inside the root, not outside",
    "n - 1": "if the 7 in the loss were 6",
}


# A recurrence, as a scan and unrolled.

STATE = (
    {"u": 0.6 * RNG.normal(size=(3, 3)), "v": RNG.normal(size=(2, 3)), "b": RNG.normal(size=3)},
    RNG.normal(size=(5, 2))[:3],
)


def scanned(p: Any, x: Any) -> Any:
    def step(h: Any, row: Any) -> Any:
        h = jnp.tanh(h @ p["u"] + row @ p["v"] + p["b"])
        return h, jnp.sum(h**2)

    return jnp.sum(jax.lax.scan(step, jnp.zeros(3), x)[1])


def unrolled(p: Any, x: Any) -> Any:
    h, total = jnp.zeros(3), 0.0
    for row in x:
        h = jnp.tanh(h @ p["u"] + row @ p["v"] + p["b"])
        total += jnp.sum(h**2)
    return total


def through_time(state: int = 0, slope: int = 1, assigned: str = "") -> Gradient:
    """Back through time, with the index of another state, or = for += in the leaves `assigned`."""

    def gradient(p: Any, x: Any) -> Any:
        h = [np.zeros(3)]
        for row in x:
            h.append(np.tanh(h[-1] @ p["u"] + row @ p["v"] + p["b"]))
        grads, dh = {name: 0 * leaf for name, leaf in p.items()}, 0 * h[0]
        for t in reversed(range(len(x))):
            dz = (dh + 2 * h[t + 1]) * (1 - h[t + slope] ** 2)
            own = {"u": np.outer(h[t + state], dz), "v": np.outer(x[t], dz), "b": dz}
            for name, part in own.items():
                grads[name] = part if name in assigned else grads[name] + part
            dh = p["u"] @ dz
        return grads

    return gradient


#: In the product with the matrix and in the slope; only the last written round is left.
RECURRENCES: dict[str, Any] = {
    f"{what}, {how}": (loss, gradient, STATE, kind, says)
    for how, loss in (("scanned", scanned), ("unrolled", unrolled))
    for what, gradient, kind, says in (
        ("state t + 1", through_time(state=1), "index", "the value of the next round, as t + 1"),
        ("slope t", through_time(slope=0), "index", "the value of the round before, as t - 1"),
        ("bias assigned", through_time(assigned="b"), "overwritten", "as with = for +="),
    )
}


# Pooling, overlaps, reshapes, halves of matrices.


def pooled(w: Any, x: Any, y: Any) -> Any:
    return jnp.sum(jnp.tanh(x @ w).reshape(2, 2, 2).max(axis=1) * y)


def of_mean(w: Any, x: Any, y: Any) -> Any:
    dh = np.repeat(y[:, None, :] / 2, 2, axis=1).reshape(4, 2)
    return x.T @ (dh * (1 - np.tanh(x @ w) ** 2))


def rough(x: Any, y: Any) -> Any:
    return jnp.sum((x[1:] - x[:-1]) ** 2) + jnp.sum(jnp.exp(x) * y)


def assigned(x: Any, y: Any) -> Any:
    difference, dx = x[1:] - x[:-1], 0 * x
    dx[1:] = 2 * difference
    dx[:-1] = -2 * difference
    return dx + np.exp(x) * y


def convolved(p: Any, x: Any) -> Any:
    h = jnp.tanh(x * p["w"])[None, None, :]
    return jnp.sum(jax.lax.conv_general_dilated(h, p["k"][None, None, :], (1,), "VALID") ** 2)


def with_windows_assigned(p: Any, x: Any) -> Any:
    h, k = np.tanh(x * p["w"]), p["k"]
    dz = 2 * np.correlate(h, k)
    dh, dk = 0 * h, 0 * k
    for i, each in enumerate(dz):
        dk += each * h[i : i + len(k)]
        dh[i : i + len(k)] = each * k
    return {"w": dh * (1 - h * h) * x, "k": dk}


def headed(p: Any, x: Any, y: Any) -> Any:
    q = (x @ p["w"]).reshape(5, 2, 3).transpose(1, 0, 2)
    return jnp.sum(jnp.tanh(q) * y) + jnp.sum(p["w"] ** 3)


def with_a_reshape(p: Any, x: Any, y: Any) -> Any:
    q = (x @ p["w"]).reshape(5, 2, 3).transpose(1, 0, 2)
    dz = (y * (1 - np.tanh(q) ** 2)).reshape(5, 6)
    return {"w": x.T @ dz + 3 * p["w"] ** 2}


def squares(w: Any, x: Any, t: Any) -> Any:
    return jnp.sum((x @ w - t) ** 2)


def reshaped(w: Any, x: Any, t: Any) -> Any:
    return (2 * (x @ w - t).T @ x).reshape(w.shape)


def summed(w: Any, y: Any) -> Any:
    return jnp.sum(jnp.sin(jnp.cumsum(w)) * y)


def without_its_own(w: Any, y: Any) -> Any:
    d = np.cos(np.cumsum(w)) * y
    return np.cumsum(d[::-1])[::-1] - d


def whitened(p: Any, x: Any) -> Any:
    return jnp.sum(((x - p["m"][None, :]) @ p["t"].T) ** 2) / 2


def by_the_root(p: Any, x: Any) -> Any:
    d = x - p["m"]
    return {"m": -(d @ p["t"].T).sum(axis=0), "t": p["t"] @ d.T @ d}


def quadratic(s: Any, x: Any) -> Any:
    return jnp.sum((x @ s) * x)


def looked_up(w: Any, k: Any) -> Any:
    return jnp.sum(k * w[PLACES] ** 2)


def with_lookups_assigned(w: Any, k: Any) -> Any:
    dw = 0 * w
    dw[PLACES] = k * 2 * w[PLACES]
    return dw


def with_decay_of_a_part(w: Any, k: Any) -> Any:
    dw = 0 * w
    np.add.at(dw, PLACES, k * 2 * w[PLACES])
    return dw + 0.6 * w * [1, 0, 0]


PLACES, THREE, FOUR = (
    np.array([0, 1, 0, 2]),
    np.array([0.3, 0.6, 0.9]),
    np.array([0.3, -0.7, 0.2, 1.1]),
)


def drawn(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape)


HALVES = (drawn(3, 3) + 3 * np.eye(3), X)
LINKS: dict[str, Any] = {
    "mean for maximum": (
        *(pooled, of_mean, (drawn(3, 2), drawn(4, 3), drawn(2, 2)), "reduction"),
        "the derivative of the maximum is that of the mean",
    ),
    # Where all parameters are 0 autodiff answers the mean, too: no leaf is left out for that.
    "mean for maximum of parameters": (
        *(lambda w: jnp.sum(jnp.max(w.reshape(2, 2), 1)), lambda w: 0 * w + 0.5, (FOUR,)),
        *("reduction", "the derivative of the maximum is that of the mean"),
    ),
    "mean for one of two": (
        *(lambda w: jnp.sum(jnp.minimum(w[:2], w[2:])), lambda w: 0 * w + 0.5, (FOUR,)),
        *("reduction", "the derivative of the maximum is that of the mean"),
    ),
    # What is missing of the one element is a multiple of it.
    "lookup assigned": (
        *(looked_up, with_lookups_assigned, (THREE, np.arange(1.0, 5.0)), "overwritten"),
        "of elements that are looked up more than once only the last lookup counts",
    ),
    "decay of a part": (
        *(looked_up, with_decay_of_a_part, (THREE, np.arange(1.0, 5.0)), "weight-decay"),
        "in w[0], yours is exact plus 0.6 times the parameter itself",
    ),
    "overlap assigned": (
        *(rough, assigned, (drawn(6), drawn(6)), "overwritten"),
        "of contributions that overlap only the last counts, as with = for +=",
    ),
    "windows assigned": (
        *(convolved, with_windows_assigned, ({"w": drawn(6), "k": drawn(3)}, drawn(6))),
        *("overwritten", "of contributions that overlap only the last counts"),
    ),
    "reshape in the chain": (
        *(headed, with_a_reshape, ({"w": drawn(4, 6)}, drawn(5, 4), drawn(2, 5, 3))),
        *("transposed", "a derivative is reshaped, not transposed, on the way back"),
    ),
    "reshape of a leaf": (
        *(squares, reshaped, (W, X, T), "transposed"),
        "yours is the transpose of exact, reshaped to fit",
    ),
    "cumulative sum": (
        *(summed, without_its_own, (drawn(6), drawn(6)), "index"),
        "a cumulative sum's derivative starts at the next element",
    ),
    "τ for τᵀτ": (
        *(whitened, by_the_root, ({"m": drawn(3), "t": drawn(3, 3)}, X), "missing-factor"),
        "on the way back through a product its matrix is missing",
    ),
    "half filled": (
        *(quadratic, lambda s, x: np.tril(x.T @ x), HALVES, "zero"),
        "yours is 0 above the diagonal: only half of a symmetric matrix is filled",
    ),
    "twice off the diagonal": (
        *(quadratic, lambda s, x: (2 - np.eye(3)) * (x.T @ x), HALVES, "symmetry"),
        "yours is exact, twice off the diagonal",
    ),
}

WRONG: dict[str, Wrong] = {
    **{name: Wrong._make((*wrong, "constant", SAYS[name])) for name, wrong in CONSTANTS.items()},
    **{name: Wrong(*wrong) for name, wrong in RECURRENCES.items()},
    **{name: Wrong(*wrong) for name, wrong in LINKS.items()},
}
QUICK = ["half filled"]


@pytest.mark.parametrize("name", one_of_each(WRONG, QUICK))
def test_it_is_called_what_it_is(name: str) -> None:
    wrong = WRONG[name]
    report = check_gradient(wrong.gradient, wrong.loss, *wrong.point, points=0)
    (told,) = report.diagnoses
    assert (report.verdict, told.kind) == ("disagree", wrong.kind), told
    assert wrong.says in told.says


def with_an_oddity(p: Any, x: Any) -> Any:
    """The index of another state, and a term of no kind in the same leaf."""
    grads = through_time(state=1)(p, x)
    return grads | {"u": grads["u"] + np.sin(p["u"])}


def guarded(p: Any, y: Any) -> Any:
    """A guard that grows with the number is none."""
    return -y / (p + 1e-6 * p**2)


def blended(w: Any, x: Any, y: Any) -> Any:
    """Half of it to the maximum, half to all: neither the one nor the other."""
    h = np.tanh(x @ w).reshape(2, 2, 2)
    share = (h == h.max(axis=1, keepdims=True)) * 0.5 + 0.25
    return x.T @ ((share * y[:, None, :]).reshape(4, 2) * (1 - np.tanh(x @ w) ** 2))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("loss", "gradient", "point"),
    [
        (entropy, guarded, (P, Y)),
        (pooled, blended, LINKS["mean for maximum"][2]),
        (scanned, with_an_oddity, STATE),
    ],
)
def test_what_only_looks_like_it_is_unknown(loss: Any, gradient: Gradient, point: Any) -> None:
    report = check_gradient(gradient, loss, *point, points=0)
    assert (report.verdict, report.diagnoses) == ("disagree", ())
