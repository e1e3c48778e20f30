"""One wrong link of backpropagation, each planted in a small network: which it is said to be."""

import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient
from handgrad.data.findings import Diagnosis
from handgrad.diagnosis import kinds as diagnosing
from tests.tiers import slowly

RNG = np.random.default_rng(1)


def diagnosis(gradient: Any, loss: Any, point: tuple[Any, ...]) -> Diagnosis:
    (told,) = check_gradient(gradient, loss, *point, points=0).diagnoses
    return told


def line_of(function: Any, text: str) -> int:
    """In which line of this file something stands in a function."""
    lines, first = inspect.getsourcelines(function)
    return first + next(i for i, line in enumerate(lines) if text in line)


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


# Two layers, 3-5-2, for 7 examples: no two lengths are equal.

LAYERS = {"v": RNG.normal(size=(3, 5)), "b": RNG.normal(size=5), "w": RNG.normal(size=(5, 2))}
X, Y = RNG.normal(size=(7, 3)), RNG.normal(size=(7, 2))
NETWORK = (LAYERS, X, Y)

#: Of z and a, what stands for f′(z).
Slope = Callable[[Any, Any], Any]


def by_tanh(p: Any, x: Any, y: Any) -> Any:
    h = jnp.tanh(x @ p["v"] + p["b"][None, :])
    return jnp.mean((h @ p["w"] - y) ** 2)


def by_sigmoid(p: Any, x: Any, y: Any) -> Any:
    h = 1 / (1 + jnp.exp(-(x @ p["v"] + p["b"][None, :])))
    return jnp.mean((h @ p["w"] - y) ** 2)


def two_layers(f: Any, slope: Slope) -> Any:
    def gradient(p: Any, x: Any, y: Any) -> Any:
        z = x @ p["v"] + p["b"]
        h = f(z)
        dout = 2 * (h @ p["w"] - y) / y.size
        dz = dout @ p["w"].T * slope(z, h)
        return {"v": x.T @ dz, "b": dz.sum(axis=0), "w": h.T @ dout}

    return gradient


@pytest.mark.parametrize(
    ("slope", "says"),
    [
        (lambda z, h: 1, "the derivative of tanh is missing"),
        (lambda z, h: 1 - h, "the derivative of tanh is 1 - h, not 1 - h²"),
        slowly(
            lambda z, h: 1 - np.tanh(h) ** 2,
            "the derivative of tanh is taken at the activation, not at the sum before it",
        ),
        slowly(lambda z, h: (1 - h * h) ** 2, "there is one derivative of tanh too many"),
        slowly(lambda z, h: h * (1 - h), "the derivative of tanh is that of sigmoid"),
        slowly(lambda z, h: 1 - z * z, "the derivative of tanh is 1 - z², not 1 - h²"),
    ],
)
def test_the_derivative_of_tanh(slope: Slope, says: str) -> None:
    told = diagnosis(two_layers(np.tanh, slope), by_tanh, NETWORK)
    assert told.kind == "activation-derivative"
    assert told.leaves == ("params['b']", "params['v']")
    assert says in told.says
    assert '`h = jnp.tanh(x @ p["v"] + p["b"][None, :])`' in told.says


@pytest.mark.parametrize(
    ("slope", "says"),
    [
        (
            lambda z, h: sigmoid(h) * sigmoid(-h),
            "the derivative of sigmoid is taken at the activation, not at the sum before it",
        ),
        (lambda z, h: z * (1 - z), "the derivative of sigmoid is z(1 - z), not σ(1 - σ)"),
        (lambda z, h: 1 - h, "the derivative of sigmoid is 1 - σ, not σ(1 - σ)"),
        (lambda z, h: h, "the derivative of sigmoid is replaced by the activation itself"),
    ],
)
@pytest.mark.slow
def test_the_derivative_of_a_sigmoid_that_is_written_out(slope: Slope, says: str) -> None:
    told = diagnosis(two_layers(sigmoid, slope), by_sigmoid, NETWORK)
    assert told.kind == "activation-derivative"
    assert says in told.says
    assert "jnp.exp(-(x @" in told.says


@pytest.mark.slow
def test_an_extra_derivative_beside_cross_entropy() -> None:
    """It is in the loss of the logits already: there dz is p - y."""
    labels = np.array([[1.0], [0], [1], [1], [0], [0], [1]])

    def loss(p: Any, x: Any, y: Any) -> Any:
        z = x @ p["w"] + p["b"][None, :]
        return jnp.mean(jnp.logaddexp(z, 0.0) - y * z)

    def gradient(p: Any, x: Any, y: Any) -> Any:
        s = sigmoid(x @ p["w"] + p["b"])
        dz = (s - y) / len(x) * s * (1 - s)
        return {"w": x.T @ dz, "b": dz.sum(axis=0)}

    point = ({"w": RNG.normal(size=(3, 1)), "b": RNG.normal(size=1)}, X, labels)
    told = diagnosis(gradient, loss, point)
    assert told.kind == "activation-derivative"
    assert "there is one derivative of sigmoid too many" in told.says


# Three classes, by softmax; squared errors, in which its matrix of derivatives stays.

SCORES = {"w": RNG.normal(size=(2, 3)), "b": RNG.normal(size=3)}
CLASSES = (SCORES, RNG.normal(size=(7, 2)), np.eye(3)[[0, 1, 2, 0, 2, 1, 1]])


def brier(p: Any, x: Any, y: Any) -> Any:
    return jnp.sum((jax.nn.softmax(x @ p["w"] + p["b"][None, :]) - y) ** 2) / len(x)


@pytest.mark.parametrize(
    ("through", "says"),
    [
        (
            lambda p, dp: p * (1 - p) * dp,
            "of the derivatives of softmax only the diagonal",
        ),
        (lambda p, dp: dp, "the derivative of softmax is missing"),
    ],
)
@pytest.mark.slow
def test_the_matrix_of_a_softmax(through: Any, says: str) -> None:
    def gradient(params: Any, x: Any, y: Any) -> Any:
        e = np.exp(x @ params["w"] + params["b"])
        p = e / e.sum(axis=1, keepdims=True)
        dz = through(p, 2 * (p - y) / len(x))
        return {"w": x.T @ dz, "b": dz.sum(axis=0)}

    told = diagnosis(gradient, brier, CLASSES)
    assert told.kind == "activation-derivative"
    assert says in told.says


# As many units as inputs and as examples, so that wrong products and sums keep their shapes.

SQUARE = {"v": RNG.normal(size=(3, 3)), "w": RNG.normal(size=(3, 3)), "b": RNG.normal(size=3)}
SQUARES = (SQUARE, RNG.normal(size=(3, 3)), RNG.normal(size=(3, 3)))


def chained(p: Any, x: Any, y: Any) -> Any:
    h = jnp.tanh(x @ p["v"] + p["b"][None, :])
    return jnp.mean((h @ p["w"] - y) ** 2)


def chain(back: Any = lambda d, w: d @ w.T, axis: int = 0) -> Any:
    def gradient(p: Any, x: Any, y: Any) -> Any:
        h = np.tanh(x @ p["v"] + p["b"])
        dout = 2 * (h @ p["w"] - y) / y.size
        dz = back(dout, p["w"]) * (1 - h * h)
        return {"v": x.T @ dz, "w": h.T @ dout, "b": dz.sum(axis=axis)}

    return gradient


@pytest.mark.slow
def test_a_product_is_not_transposed_on_the_way_back() -> None:
    told = diagnosis(chain(back=lambda d, w: d @ w), chained, SQUARES)
    assert told.kind == "transposed"
    assert "the matrix of a product is not transposed on the way back" in told.says
    assert f"{line_of(chained, '** 2')}" in told.says
    assert told.leaves == ("params['b']", "params['v']")


def test_a_bias_is_summed_over_the_wrong_axis() -> None:
    told = diagnosis(chain(axis=1), chained, SQUARES)
    assert (told.kind, told.leaves) == ("axis", ("params['b']",))
    assert "derivatives are summed over the other axis" in told.says


def test_a_layer_is_updated_before_it_passes_on_what_comes_back() -> None:
    def gradient(p: Any, x: Any, y: Any) -> Any:
        h = np.tanh(x @ p["v"] + p["b"])
        dout = 2 * (h @ p["w"] - y) / y.size
        dw = h.T @ dout
        dz = dout @ (p["w"] - 0.1 * dw).T * (1 - h * h)
        return {"v": x.T @ dz, "b": dz.sum(axis=0), "w": dw}

    told = diagnosis(gradient, by_tanh, NETWORK)
    assert (told.kind, told.leaves) == ("updated-parameter", ("params['b']", "params['v']"))
    assert "updated too early, by 0.1 times yours" in told.says


# A normalised layer, without the scale and the shift.


def normalised(w: Any, x: Any, y: Any) -> Any:
    z = x @ w
    mean = z.mean(axis=1, keepdims=True)
    variance = ((z - mean) ** 2).mean(axis=1, keepdims=True)
    return jnp.sum((z - mean) / jnp.sqrt(variance + 1e-5) * y)


@pytest.mark.parametrize(
    ("mean_back", "variance_back", "says"),
    [
        slowly(0, 1, "to the matrix product"),
        slowly(1, 0, "nothing comes back from the difference"),
        slowly(0, 0, "two terms are missing"),
    ],
)
def test_terms_of_a_normalised_layer_are_missing(
    mean_back: int, variance_back: int, says: str
) -> None:
    def gradient(w: Any, x: Any, y: Any) -> Any:
        z = x @ w
        s = np.sqrt(z.var(axis=1, keepdims=True) + 1e-5)
        n = (z - z.mean(axis=1, keepdims=True)) / s
        means = mean_back * y.mean(axis=1, keepdims=True)
        return x.T @ ((y - means - variance_back * n * (y * n).mean(axis=1, keepdims=True)) / s)

    weights, weighed = np.random.default_rng(2).normal(size=(2, 7, 5))
    told = diagnosis(gradient, normalised, (weights[:3], X, weighed))
    assert told.kind == "unknown"
    assert says in told.says
    assert ("a term is missing" in told.says) == (mean_back + variance_back == 1)
    if not mean_back:
        assert str(line_of(normalised, "mean = ")) in told.says


# A recurrence, unrolled by Python and by scan: one wrong link in every round.

SEQUENCE = ({"u": RNG.normal(size=(3, 3)), "v": RNG.normal(size=(2, 3))}, RNG.normal(size=(5, 2)))


def rounds(p: Any, x: Any) -> Any:
    h = jnp.zeros(3)
    for row in x:
        h = jnp.tanh(h @ p["u"] + row @ p["v"])
    return jnp.sum(h**2)


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


@pytest.mark.parametrize("loss", [rounds, scanned])
@pytest.mark.slow
def test_a_derivative_is_wrong_in_every_round(loss: Any) -> None:
    told = diagnosis(through_time(slope=lambda h: 1 - h), loss, SEQUENCE)
    assert told.kind == "activation-derivative"
    assert "the derivative of tanh is 1 - h, not 1 - h²" in told.says
    assert told.leaves == ("params['u']", "params['v']")


@pytest.mark.parametrize("loss", [rounds, scanned])
@pytest.mark.slow
def test_nothing_is_carried_back_in_time(loss: Any) -> None:
    told = diagnosis(through_time(carried=0.0), loss, SEQUENCE)
    assert told.kind == "unknown"
    assert "nothing comes back" in told.says
    assert "a term is missing" in told.says


@pytest.mark.slow
def test_a_sign_at_one_place() -> None:
    def loss(p: Any, x: Any) -> Any:
        h = jnp.tanh(x @ p["w"])
        return jnp.mean(jnp.exp(h) - h * p["b"][None, :])

    def gradient(p: Any, x: Any) -> Any:
        h = np.tanh(x @ p["w"])
        dh = (np.exp(h) + p["b"]) / h.size  # and minus
        return {"w": x.T @ (dh * (1 - h * h)), "b": -h.sum(axis=0) / h.size}

    told = diagnosis(gradient, loss, ({"w": RNG.normal(size=(3, 2)), "b": RNG.normal(size=2)}, X))
    assert (told.kind, told.leaves) == ("sign", ("params['w']",))
    assert "has the wrong sign" in told.says
    assert "what comes back from the product to tanh" in told.says
    assert str(line_of(loss, "jnp.exp")) in told.says


@pytest.mark.slow
def test_a_factor_at_one_place_has_its_name() -> None:
    """The penalty's 1/2 is forgotten: only its own part of the derivative has the factor."""

    def loss(w: Any, x: Any, y: Any) -> Any:
        return jnp.mean((jnp.tanh(x @ w) - y) ** 2) + jnp.sum(jnp.exp(w))

    def gradient(w: Any, x: Any, y: Any) -> Any:
        h = np.tanh(x @ w)
        return x.T @ ((h - y) / y.size * (1 - h * h)) + np.exp(w)

    told = diagnosis(gradient, loss, (RNG.normal(size=(3, 2)), X, Y))
    assert told.kind == "factor"
    assert "is 1/2 of what it should be" in told.says


@pytest.mark.slow
def test_a_leaf_is_left_out_of_the_forward_pass() -> None:
    def gradient(p: Any, x: Any, y: Any) -> Any:
        right = two_layers(np.tanh, lambda z, h: 1 - h * h)
        return right(p | {"b": 0 * p["b"]}, x, y)

    told = diagnosis(gradient, by_tanh, NETWORK)
    assert told.kind == "unknown"
    assert "params['b'] is left out of the forward pass, as if it were 0" in told.says


@pytest.mark.slow
@pytest.mark.parametrize(("part", "how"), [(0.5, "is 1/2 of"), (0.0, "nothing comes back")])
def test_a_penalty_s_factor_is_a_weight_decay(
    part: float, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the numbers alone do not show it: which of two leaves' rules speaks is chance."""
    monkeypatch.setattr(diagnosing, "OF_A_LEAF", ())
    w, v, x = RNG.normal(size=3), RNG.normal(size=3), RNG.normal(size=(7, 3))

    def penalised(p: Any, x: Any) -> Any:
        return jnp.mean(jnp.tanh(x @ p["w"] * (x @ p["v"]))) + 0.1 * jnp.sum(p["w"] ** 2)

    def gradient(p: Any, x: Any) -> Any:
        a, b = x @ p["w"], x @ p["v"]
        d = (1 - np.tanh(a * b) ** 2) / len(x)
        return {"w": x.T @ (d * b) + part * 0.2 * p["w"], "v": x.T @ (d * a)}

    told = diagnosis(gradient, penalised, ({"w": w, "v": v}, x))
    assert told.kind == "weight-decay"
    assert how in told.says


@pytest.mark.slow
def test_a_small_number_of_the_loss_is_forgotten() -> None:
    """ε under the root, of a layer's spread."""

    def gradient(w: Any, x: Any, y: Any) -> Any:
        z = x @ w
        r = 1 / z.std(axis=1, keepdims=True)
        h = (z - z.mean(axis=1, keepdims=True)) * r
        spread = (y * h).mean(axis=1, keepdims=True) * h
        return x.T @ (r * (y - y.mean(axis=1, keepdims=True) - spread))

    weights, weighed = np.random.default_rng(2).normal(size=(2, 7, 5))
    told = diagnosis(gradient, normalised, (weights[:3], X, weighed))
    assert told.kind == "unknown"
    assert "if the 1e-5 in the loss were 0 (" in told.says
    assert "jnp.sqrt(variance + 1e-5)" in told.says
