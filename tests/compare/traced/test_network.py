"""The trace of networks of any shape: every activation and loss, formulas, kinks, mistakes."""

from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

import manual.network
from compare.trace import FACTOR, GRADIENT, Trace
from compare.traced.network import trace_network
from compare.wording import InputError
from handgrad.data.ulps import ulp_distance
from manual.activations import ACTIVATIONS, sigmoid_derivative
from manual.affine import Layer, affine_backward_parameters
from manual.losses import LOSSES
from manual.network import LINKS, Network
from tests.compare.traced import formulas
from tests.tiers import one_of_each

#: Each activation hidden and as the output, each loss, with and without a penalty, one to three
#: layers.
QUICK = [
    Network((2, 2, 1), "sigmoid", "sigmoid", "mse"),
    Network((3, 2, 3), "tanh", "identity", "softmax-ce", 0.1),
    Network((2, 3, 2, 1), "relu", "tanh", "huber"),
    Network((1, 3, 2), "leaky-relu", "identity", "bce", 0.01),
    Network((2, 2, 1), "gelu", "softplus", "mse"),
    Network((3, 2), "identity", "leaky-relu", "huber"),
    Network((2, 1), "sigmoid", "gelu", "mse", 0.5),
    Network((2, 3, 2), "softplus", "relu", "huber", 0.1),
    Network((3, 2, 2), "identity", "identity", "bce"),
]
#: And those that were added since.
QUICK += [
    Network((2, 2, 1), name, name, "mse")
    for name in ACTIVATIONS
    if name not in {network.activation for network in QUICK}
]


def drawn(network: Network, seed: int = 0) -> tuple[list[Layer], Any, Any]:
    rng = np.random.default_rng([seed, 7])
    params = manual.network.draw_parameters(network, seed)
    params = [Layer(w, rng.normal(size=b.shape)) for w, b in params]
    y = rng.normal(size=network.sizes[-1])
    if network.loss in LINKS:  # weights of the classes: with a single 1 a wrong index would hide
        y = rng.dirichlet(np.ones(max(2, network.sizes[-1])))[: network.sizes[-1]]
    return params, rng.normal(size=network.sizes[0]), y


def title(network: Network) -> str:
    kinds = f"{network.activation},{network.output},{network.loss},{network.l2:g}"
    return f"{'-'.join(map(str, network.sizes))},{kinds}"


def traced(network: Network) -> Trace:
    """A trace that is all that it must be."""
    params, x, y = drawn(network)
    trace = trace_network(network, params, x, y)
    computed = [q for q in trace.quantities.values() if q.formula]
    rounding = 1e-5 if "gelu" in network.activations else 0
    assert trace.verdict == "agree", [q for q in computed if q.verdict != "agree"]
    for quantity in computed:
        said = formulas.value(trace, quantity)
        # Constants stand there with six digits, which is all of them but for 1/√2 and 1/√(2π).
        assert abs(said - quantity.by_hand) <= rounding * abs(quantity.by_hand), quantity
        assert quantity.exact is not None
        # Autodiff's forms may cancel; here, by no more than half the digits.
        assert (quantity.ulps_by_hand or 0) < 1e6
        assert (quantity.ulps_autodiff or 0) < 1e8
    check_gradients(trace, network, params, x, y)
    return trace


def check_gradients(trace: Trace, network: Network, params: Any, x: Any, y: Any) -> None:
    """Those of the plain lines, up to the order in which NumPy sums and fuses."""
    loss, grads = manual.network.value_and_gradient(network, params, x[None], y[None])
    assert ulp_distance(np.float64(trace.quantities["L"].by_hand), loss) < 16
    gradients = [q for q in trace.quantities.values() if q.kind == GRADIENT]
    assert len(gradients) == sum(w.size + b.size for w, b in params)
    for at, (layer, grad) in enumerate(zip(params, grads, strict=True)):
        for letter, array, of in zip("wb", layer, grad, strict=True):
            for index in np.ndindex(array.shape):
                name = f"{letter}{at}[{','.join(map(str, index))}]"
                mine = trace.gradient_of(name).by_hand
                assert abs(mine - of[index]) <= 1e-12 * np.abs(of).max(), name


def test_every_output_and_loss_is_among_them() -> None:
    assert {network.output for network in QUICK} == set(ACTIVATIONS)
    assert {network.loss for network in QUICK} == set(LOSSES)


def test_names_kinds_and_steps() -> None:
    network = Network((2, 2, 1), "tanh", "identity", "mse", l2=0.5)
    trace = trace_network(network, *drawn(network))
    of = trace.quantities
    assert of["w0[1,0]"].latex == "w^{(0)}_{1,0}"
    assert (of["λ"].kind, of["dw0[1,0]_data"].kind) == ("input", FACTOR)
    assert "da_dz1[0]" not in of  # the identity's slope is not a factor of anything
    titles = [step.title for step in trace.steps]
    assert titles[4:7] == ["(3) L = mse(a, y)", "(4) L + λ Σ w²", "Undo (3) L = mse(a, y)"]


@pytest.mark.slow
def test_at_a_kink_there_is_no_one_exact_slope() -> None:
    network = Network((2, 2, 1), "relu", "identity", "mse")
    layers = [Layer(np.eye(2), np.zeros(2)), Layer(np.ones((2, 1)), np.zeros(1))]
    trace = trace_network(network, layers, [0, 1], [3])
    assert trace.quantities["z0[0]"].exact == "0"
    assert trace.verdict == "agree"
    without = {name for name, q in trace.quantities.items() if q.formula and q.exact is None}
    behind = {"da_dz0[0]", "dz0[0]", "dw0[0,0]", "dw0[1,0]", "db0[0]"}
    # The first input is 0: its weight moves nothing, so the kink is none to it.
    behind -= {"dw0[0,0]"}
    assert without == behind | {f"{name[1:]}_new" for name in behind if name[1] in "wb"}
    assert trace.quantities["da1[0]"].exact == "-4"


#: Wrong lines: of a table or of the network, where each shows first, and what it leaves right.
MISTAKES: dict[str, tuple[str, Any, str, str]] = {
    "the slope of tanh taken at a": (
        "ACTIVATIONS.tanh",
        lambda da, z: da * (4 * sigmoid_derivative(z)),
        *("da_dz0[0]", "da0[0]"),
    ),
    "no 2 in the loss": ("LOSSES.mse", lambda dl, r: dl / r.shape[0] * r, "da1[0]", "L"),
    "twice the gradient of the biases": (
        "affine_backward_parameters",
        lambda *at: (right := affine_backward_parameters(*at))._replace(b=2 * right.b),
        *("db1[0]", "dw1[0,0]"),
    ),
}


@pytest.mark.parametrize("mistake", one_of_each(MISTAKES, ["the slope of tanh taken at a"]))
def test_a_mistake_is_seen_where_it_is_made(mistake: str) -> None:
    place, wrong, first, right = MISTAKES[mistake]
    place, _, name = place.partition(".")
    if name:
        table = getattr(manual.network, place)
        wrong = table | {name: table[name]._replace(backward=wrong)}
    network = Network((2, 2, 1), "tanh", "identity", "mse", l2=0.5)
    with patch.object(manual.network, place, wrong):
        trace = trace_network(network, *drawn(network))
    off = [name for name, q in trace.quantities.items() if q.verdict == "disagree"]
    assert off[0] == first
    assert trace.quantities[right].verdict == "agree"


def test_shapes_and_numbers_that_do_not_fit_are_refused() -> None:
    network = Network((2, 2, 1), "tanh", "identity", "mse", l2=0.5)
    params, x, y = drawn(network)
    with pytest.raises(ValueError, match=r"^x: got shape \(1, 3\), expected \(1, 2\)"):
        trace_network(network, params, [1, 2, 3], y)
    with pytest.raises(InputError, match=r"^z0\[\d\] is -?inf at this point"):
        trace_network(network, [Layer(1e300 * w, b) for w, b in params], [1e300, 1e300], y)
    assert trace_network(network, params, x, y).verdict == "agree"
