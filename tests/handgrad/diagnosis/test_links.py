"""One wrong link of backpropagation, each in a small loss or step: which it is said to be."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special

from handgrad import check_backward, check_gradient
from handgrad.diagnosis import activations
from handgrad.report import GradientReport
from tests.handgrad.diagnosis.network import NETWORK, Slope, X, Y, loss, right, two_layers
from tests.tiers import one_of_each

RNG = np.random.default_rng(1)
OF_V = ("p['b']", "p['v']")


class Wrong(NamedTuple):
    """A call that reports on a wrong gradient, and the diagnosis expected of it."""

    ask: Callable[[], GradientReport]
    kind: str
    says: tuple[str, ...]
    leaves: tuple[str, ...] | None = None


def of_loss(gradient: Any, loss: Any, point: Any, kind: str, *says: str, leaves: Any = None) -> Any:
    return Wrong(lambda: check_gradient(gradient, loss, *point, points=0), kind, says, leaves)


def of_step(forward: Any, backward: Any, inputs: Any, kind: str, says: str) -> Wrong:
    """Of a backward pass that is judged by itself: its loss is a weighed sum."""
    return Wrong(lambda: check_backward(forward, backward, *inputs, points=1), kind, (says,))


def line_of(function: Any, text: str) -> str:
    """In which line of this file something stands in a function."""
    lines, first = inspect.getsourcelines(function)
    return str(first + next(i for i, line in enumerate(lines) if text in line))


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


# The derivative of an activation within a network.


def of_tanh(slope: Slope, says: str) -> Wrong:
    line = '`h = jnp.tanh(x @ p["v"] + p["b"][None, :])`'
    wrong = two_layers(slope)
    return of_loss(wrong, loss, NETWORK, "activation-derivative", says, line, leaves=OF_V)


ACTIVATIONS = {
    "tanh missing": of_tanh(lambda z, h: 1, "the derivative of tanh is missing"),
    "tanh by 1 - h": of_tanh(lambda z, h: 1 - h, "the derivative of tanh is 1 - h, not 1 - h²"),
    "tanh at h": of_tanh(
        lambda z, h: 1 - np.tanh(h) ** 2,
        "the derivative of tanh is taken at the activation, not at the sum before it",
    ),
    "tanh itself": of_tanh(lambda z, h: h, "of tanh is replaced by the activation itself"),
    "tanh twice": of_tanh(
        lambda z, h: (1 - h * h) ** 2, "there is one derivative of tanh too many"
    ),
}


# Mistakes at one place of the program.


def updated_early(p: Any, x: Any, y: Any) -> Any:
    h = np.tanh(x @ p["v"] + p["b"])
    dout = 2 * (h @ p["w"] - y) / y.size
    dw = h.T @ dout
    dz = dout @ (p["w"] - 0.1 * dw).T * (1 - h * h)
    return {"v": x.T @ dz, "b": dz.sum(axis=0), "w": dw}


def without_bias(p: Any, x: Any, y: Any) -> Any:
    return right(p | {"b": 0 * p["b"]}, x, y)


def with_a_difference(p: Any, x: Any) -> Any:
    h = jnp.tanh(x @ p["w"])
    return jnp.mean(jnp.exp(h) - h * p["b"][None, :])


def with_a_sum(p: Any, x: Any) -> Any:
    h = np.tanh(x @ p["w"])
    dh = (np.exp(h) + p["b"]) / h.size  # and minus
    return {"w": x.T @ (dh * (1 - h * h)), "b": -h.sum(axis=0) / h.size}


def penalised(w: Any, x: Any, y: Any) -> Any:
    return jnp.mean((jnp.tanh(x @ w) - y) ** 2) + jnp.sum(jnp.exp(w))


def halved_but_for_the_penalty(w: Any, x: Any, y: Any) -> Any:
    h = np.tanh(x @ w)
    return x.T @ ((h - y) / y.size * (1 - h * h)) + np.exp(w)


PLACES = {
    "updated early": of_loss(
        *(updated_early, loss, NETWORK, "updated-parameter"),
        "updated too early, by 0.1 times yours",
        leaves=OF_V,
    ),
    "bias left out": of_loss(
        *(without_bias, loss, NETWORK, "unknown"),
        "params['b'] is left out of the forward pass, as if it were 0",
    ),
    "sign at a place": of_loss(
        *(with_a_sum, with_a_difference),
        ({"w": RNG.normal(size=(3, 2)), "b": RNG.normal(size=2)}, X),
        *("sign", "has the wrong sign", "what comes back from the product to tanh"),
        line_of(with_a_difference, "jnp.exp"),
        leaves=("params['w']",),
    ),
    # Only its own part of the derivative has the factor.
    "factor at a place": of_loss(
        *(halved_but_for_the_penalty, penalised, (RNG.normal(size=(3, 2)), X, Y)),
        *("factor", "is 1/2 of what it should be"),
    ),
}


# A normalised layer, without the scale and the shift.


def normalised(w: Any, x: Any, y: Any) -> Any:
    z = x @ w
    mean = z.mean(axis=1, keepdims=True)
    variance = ((z - mean) ** 2).mean(axis=1, keepdims=True)
    return jnp.sum((z - mean) / jnp.sqrt(variance + 1e-5) * y)


def of_normalised(mean_back: int, variance_back: int, epsilon: float = 1e-5) -> Any:
    def gradient(w: Any, x: Any, y: Any) -> Any:
        z = x @ w
        s = np.sqrt(z.var(axis=1, keepdims=True) + epsilon)
        n = (z - z.mean(axis=1, keepdims=True)) / s
        means = mean_back * y.mean(axis=1, keepdims=True)
        return x.T @ ((y - means - variance_back * n * (y * n).mean(axis=1, keepdims=True)) / s)

    return gradient


WEIGHTS, WEIGHED = np.random.default_rng(2).normal(size=(2, 7, 5))
LAYER = (WEIGHTS[:3], X, WEIGHED)
MEAN, TERM = line_of(normalised, "mean = "), "a term is missing"
TERMS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "no mean": (of_normalised(0, 1), ("to the matrix product", MEAN, TERM)),
    "no variance": (of_normalised(1, 0), ("nothing comes back from the difference", TERM)),
    "no ε": (
        of_normalised(1, 1, epsilon=0.0),
        ("if the 1e-5 in the loss were 0 (", "jnp.sqrt(variance + 1e-5)"),
    ),
}
OF_A_LAYER = {
    name: of_loss(gradient, normalised, LAYER, "constant" if name == "no ε" else "unknown", *says)
    for name, (gradient, says) in TERMS.items()
}


# A recurrence: one wrong link in every round.

SEQUENCE = ({"u": RNG.normal(size=(3, 3)), "v": RNG.normal(size=(2, 3))}, RNG.normal(size=(5, 2)))


def scanned(p: Any, x: Any) -> Any:
    def step(h: Any, row: Any) -> Any:
        return jnp.tanh(h @ p["u"] + row @ p["v"]), None

    return jnp.sum(jax.lax.scan(step, jnp.zeros(3), x)[0] ** 2)


def through_time(slope: Any = lambda h: 1 - h * h, carried: float = 1.0) -> Any:
    def gradient(p: Any, x: Any) -> Any:
        states = [np.zeros(3)]
        for row in x:
            states.append(np.tanh(states[-1] @ p["u"] + row @ p["v"]))
        dh, du, dv = 2 * states[-1], 0 * p["u"], 0 * p["v"]
        for before, h, row in zip(states[-2::-1], states[:0:-1], x[::-1], strict=True):
            dz = dh * slope(h)
            du, dv = du + np.outer(before, dz), dv + np.outer(row, dz)
            dh = carried * (p["u"] @ dz)
        return {"u": du, "v": dv}

    return gradient


IN_TIME = {
    what: of_loss(gradient, scanned, SEQUENCE, kind, *says)
    for what, gradient, kind, *says in (
        (
            *("slope in every round", through_time(slope=lambda h: 1 - h)),
            *("activation-derivative", "the derivative of tanh is 1 - h, not 1 - h²"),
        ),
        (
            *("nothing carried", through_time(carried=0.0)),
            *("unknown", "nothing comes back", "a term is missing"),
        ),
    )
}


# Parameters that are updated before they are used, where the loss has a penalty.

SIZES = {"v": (3, 5), "m": (5, 2), "s": (5, 4), "r": (5, 6)}
HEADS = {name: RNG.normal(size=size) for name, size in SIZES.items()}, X, Y, RNG.normal(size=(7, 4))
DECAY, RATE = 0.05, 0.3


def heads(p: Any, x: Any, y: Any, t: Any) -> Any:
    """Three heads on one hidden layer; the penalties as v² and as m·m."""
    h = jnp.tanh(x @ p["v"])
    errors = jnp.sum((h @ p["m"] - y) ** 2) + jnp.sum((h @ p["s"] - t) ** 2)
    errors += jnp.sum((h @ p["r"]) ** 2)
    m = p["m"].reshape(-1)
    return errors + DECAY * (jnp.sum(p["v"] ** 2) + m @ m)


def of_heads(decay: float, also: bool, late: bool) -> Any:
    """Its gradient, m updated with so much of its penalty before it passes on what comes back.

    Args:
        decay: of m, in the update.
        also: whether s is updated as well.
        late: whether the penalty is differentiated at the end, of m as the update leaves it.
    """

    def gradient(p: Any, x: Any, y: Any, t: Any) -> Any:
        h = np.tanh(x @ p["v"])
        dy, dt, dr = 2 * (h @ p["m"] - y), 2 * (h @ p["s"] - t), 2 * (h @ p["r"])
        dm, ds = h.T @ dy, h.T @ dt
        m = p["m"] - RATE * (dm + 2 * decay * p["m"])
        s = p["s"] - RATE * ds if also else p["s"]
        dv = x.T @ ((dy @ m.T + dt @ s.T + dr @ p["r"].T) * (1 - h * h)) + 2 * DECAY * p["v"]
        return {"v": dv, "m": dm + 2 * DECAY * (m if late else p["m"]), "s": ds, "r": h.T @ dr}

    return gradient


M, BARE = "params['m'] is updated too early, by 0.3 times yours", " without the loss's weight decay"
LATE = ", before the weight decay is differentiated"
UPDATES = {
    f"updated: {says}": of_loss(of_heads(*how), heads, HEADS, "updated-parameter", says)
    for how, says in (
        ((DECAY, False, False), M),
        ((0.0, False, False), M + BARE),
        ((DECAY, False, True), M + LATE),
        ((0.0, False, True), M + BARE + LATE),
        (
            (0.0, True, False),
            "params['m'], params['s'] are updated too early, by 0.3 times yours without",
        ),
    )
}


# A wrong backward pass of one step.

Z, A = RNG.normal(size=(3, 5)), RNG.normal(size=(4, 5))


def literal_tanh(z: Any) -> Any:
    """As it stands in textbooks."""
    return (jnp.exp(z) - jnp.exp(-z)) / (jnp.exp(z) + jnp.exp(-z))


def logistic(z: Any) -> Any:
    return 1 / (1 + jnp.exp(-z))


def leaky(z: Any) -> Any:
    return jnp.where(z > 0, z, 0.1 * z)


def elu(z: Any) -> Any:
    return jnp.where(z > 0, z, jnp.expm1(jnp.minimum(z, 0)))


def silu(z: Any) -> Any:
    return z * logistic(z)


def gelu(z: Any) -> Any:
    return jax.nn.gelu(z, approximate=False)


def softmax(z: Any) -> Any:
    e = jnp.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def by_logsumexp(z: Any) -> Any:
    return jnp.exp(z - jax.nn.logsumexp(z, axis=1, keepdims=True))


def of(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A forward pass that keeps what goes in and what comes out."""
    return lambda z: (function(z), (z, function(z)))


#: An activation, what stands for its derivative, and what is said.
SLOPES: dict[str, tuple[Any, Slope, str]] = {
    "tanh as 1 + h²": (literal_tanh, lambda z, a: 1 + a * a, "of tanh is 1 + h², not 1 - h²"),
    "leaky exchanged": (
        leaky, lambda z, a: np.where(z > 0, 0.1, 1.0), "has its two slopes exchanged"),
    "exp(log softmax) diagonal": (
        by_logsumexp, lambda z, p: p * (1 - p), "of the derivatives of softmax only the diagonal"),
    "softmax times p": (softmax, lambda z, p: p, "only diag(p) is there"),
    "softmax missing": (softmax, lambda z, p: 1.0, "of softmax is missing"),
}  # fmt: skip
STEPS = {
    f"step: {name}": of_step(
        of(f), lambda d, c, slope=slope: d * slope(*c), (Z,), "activation-derivative", says
    )
    for name, (f, slope, says) in SLOPES.items()
} | {
    "step: log of p + ε": of_step(
        of(lambda p: jnp.log(p + 1e-12)),
        *(lambda d, c: d, (np.abs(Z),), "unknown", "the derivative of log is missing"),
    ),
    "step: gate forgotten": of_step(
        lambda a, b: (a * logistic(b), (a, logistic(b))),
        lambda d, c: (d, d * c[0] * c[1] * (1 - c[1])),
        *((A, RNG.normal(size=(4, 5))), "missing-factor"),
        "on the way back through a product its other factor is missing",
    ),
}

WRONG: dict[str, Wrong] = {
    **ACTIVATIONS,
    **PLACES,
    **OF_A_LAYER,
    **IN_TIME,
    **UPDATES,
    **STEPS,
}


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("name", one_of_each(WRONG, ["tanh by 1 - h", "updated early"]))
def test_it_is_told_what_the_mistake_is(name: str) -> None:
    wrong = WRONG[name]
    report = wrong.ask()
    (told,) = report.diagnoses
    assert (report.verdict, told.kind) == ("disagree", wrong.kind), told
    assert [says for says in wrong.says if says not in told.says] == [], told
    assert wrong.leaves in (None, told.leaves), told


#: More activations, what replaces their derivatives, and the sentence that the report has for each.
TABLE: list[tuple[Any, Slope, str]] = [
    (logistic, lambda z, a: z * (1 - z), "is z(1 - z), not σ(1 - σ)"),
    (logistic, lambda z, a: 1 - a, "is 1 - σ, not σ(1 - σ)"),
    (jnp.tanh, lambda z, a: 1 - z * z, "is 1 - z², not 1 - h²"),
    (jnp.tanh, lambda z, a: a * (1 - a), "is that of sigmoid, h(1 - h)"),
    (leaky, lambda z, a: 1.0 * (z > 0), "is that of relu"),
    (elu, lambda z, a: 1.0 * (z > 0), "is that of relu"),
    (silu, lambda z, a: sigmoid(z), "is σ(z) alone, without zσ′(z)"),
    (silu, lambda z, a: sigmoid(z) * sigmoid(-z), "is that of sigmoid, σ(z)(1 - σ(z))"),
    (gelu, lambda z, a: scipy.special.ndtr(z), "is Φ(z) alone, without zφ(z)"),
]


@pytest.mark.parametrize(("f", "slope", "says"), TABLE)
def test_a_wrong_derivative_is_called_what_it_is(f: Any, slope: Slope, says: str) -> None:
    with jax.enable_x64(True):
        z = np.array(activations.PROBES)
        a = np.asarray(f(z))
        known = activations.recognised(a)
        assert known is not None
        (wrong,) = (wrong for wrong in known.mistakes if wrong.says == says)
        assert wrong.factor is not None
        found = wrong.factor(z, a, partial(activations.slope_of, known.f))
        np.testing.assert_allclose(found, slope(z, a), rtol=1e-12)
