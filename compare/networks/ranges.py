"""Where every right program must answer: the ranges of the gradient of a network of any shape.

As in `compare.bounds`, the chain rule stands here once more, on ranges, so that the judge of the
two sides takes no line from either. Each kind of activation and loss knows two forms in which right
programs compute it: `stable`, which is that of the hand lines, and `cancelling`, that of `jax.nn`
and optax, where a difference of nearly equal numbers loses digits that the range must allow for.

A function such as exp or tanh is charged `FUNCTION` units of rounding, relative to its value: the
libraries promise or show up to 2.5 ulp = 5 u in float32 and 1.7 ulp in float64, a few operations
follow it, and the charge is made once for the witness and once here.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from scipy.special import expit, logsumexp, ndtr

from compare.rounding import FLOAT64, Format, Range, exactly, nearly, square, total, widened
from manual.network import Network

#: Units of rounding charged for a function; see above.
FUNCTION = 16

#: The slope of the leaky ReLU below 0, which the judge knows by itself (Maas, Hannun & Ng, 2013).
LEAK = 0.01

STABLE, CANCELLING = "stable", "cancelling"


def gradient_ranges(
    network: Network, params: list[Any], x: Any, y: Any, floats: Format = FLOAT64
) -> dict[str, list[tuple[Range, Range]]]:
    """The ranges of the gradients of n losses, one at each of n points.

    Args:
        network: its description.
        params: (w, b) of each layer, of shapes (n, n_in, n_out) and (n, n_out).
        x, y: minibatches, shapes (n, batch, n_in) and (n, batch, n_out).
        floats: of the witnesses' floats.

    Returns:
        By form, the ranges of (dw, db) of each layer, shaped like params.
    """
    by_form = step_ranges(network, params, x, y, floats).by_form
    return {form: [(back.dw, back.db) for back in steps] for form, steps in by_form.items()}


class Backward(NamedTuple):
    """The ranges of what comes back to a layer, and of what becomes of it there."""

    da: Range  #: by the layer's activations
    slope: Range  #: f'(z)
    dz: Range
    dw_of_data: Range  #: without what λ Σ w² adds
    dw: Range
    db: Range


class Steps(NamedTuple):
    """The ranges of all that n passes there and back compute, layer by layer."""

    z: list[Range]
    a: list[Range]
    by_form: dict[str, list[Backward]]


def step_ranges(
    network: Network, params: list[Any], x: Any, y: Any, floats: Format = FLOAT64
) -> Steps:
    """The ranges of every value and derivative; arguments as for `gradient_ranges`."""
    layers, inputs, zs, outputs = _forward(network, params, x, floats)
    y = exactly(y, floats)
    forms = [STABLE] if _has_one_form(network) else [STABLE, CANCELLING]
    ranges = {form: _backward(network, layers, inputs, zs, outputs, y, form) for form in forms}
    by_form = {STABLE: ranges[STABLE], CANCELLING: ranges[forms[-1]]}
    return Steps(zs, [*inputs[1:], outputs], by_form)


def loss_ranges(
    network: Network, params: list[Any], x: Any, y: Any, floats: Format = FLOAT64
) -> Range:
    """The ranges of n losses, shape (n,); arguments as for `gradient_ranges`."""
    layers, _, _, outputs = _forward(network, params, x, floats)
    of_examples = total(LOSSES[network.loss](outputs, exactly(y, floats)))
    loss = widened(total(of_examples) / of_examples.lo.shape[-1], 8)
    if not network.l2:
        return loss
    squares = [total(total(square(w))) for w, _ in layers]
    return loss + nearly(network.l2, floats) * sum(squares[1:], squares[0])


def output_ranges(network: Network, params: list[Any], x: Any, floats: Format = FLOAT64) -> Range:
    """The ranges of what n networks predict, shape (n, batch, n_out); arguments as there."""
    outputs = _forward(network, params, x, floats)[-1]
    return LINKS.get(network.loss, lambda z: z)(outputs)


def _forward(
    network: Network, params: list[Any], x: Any, floats: Format
) -> tuple[list[tuple[Range, Range]], list[Range], list[Range], Range]:
    """The parameters, and of each layer what goes in and z; then what comes out."""
    layers = [(exactly(w, floats), exactly(b, floats)) for w, b in params]
    a = exactly(x, floats)
    inputs, zs = [], []
    for (w, b), name in zip(layers, network.activations, strict=True):
        inputs.append(a)
        zs.append(a @ w + b[:, None, :])
        a = ACTIVATIONS[name].value(zs[-1])
    return layers, inputs, zs, a


def _has_one_form(network: Network) -> bool:
    names = {*network.activations, network.loss}
    return names.isdisjoint({"sigmoid", "tanh", "softplus", "bce", "softmax-ce", "huber"})


def _backward(
    network: Network,
    layers: list[tuple[Range, Range]],
    inputs: list[Range],
    zs: list[Range],
    outputs: Range,
    y: Range,
    form: str,
) -> list[Backward]:
    batch = y.lo.shape[-2]
    # Eight units for the ways in which 2/n and its factors may be multiplied.
    da = widened(RESIDUALS[network.loss](outputs, y, form) / batch, 8)
    steps = []
    for at in reversed(range(len(layers))):
        w, _ = layers[at]
        slope = ACTIVATIONS[network.activations[at]].slope(zs[at], form)
        dz = da * slope
        dw_of_data, db = inputs[at].mT @ dz, total(dz, axis=-2)
        dw = dw_of_data
        if network.l2:
            dw = dw + 2 * (nearly(network.l2, w.floats) * w)
        steps.append(Backward(da, slope, dz, dw_of_data, dw, db))
        da = dz @ w.mT
    return steps[::-1]


class Activation(NamedTuple):
    """An activation on ranges."""

    value: Callable[[Range], Range]  #: a = f(z)
    slope: Callable[[Range, str], Range]  #: f'(z) as a program of that form computes it


def _rising(function: Callable[[Any], Any]) -> Callable[[Range], Range]:
    """A function that rises, on ranges."""

    def on_range(z: Range) -> Range:
        with np.errstate(all="ignore"):
            return widened(replace(z, lo=function(z.lo), hi=function(z.hi)), FUNCTION)

    return on_range


def _peaked(function: Callable[[Any], Any]) -> Callable[[Range], Range]:
    """An even function that falls on both sides of 0, on ranges."""

    def on_range(z: Range) -> Range:
        with np.errstate(all="ignore"):
            lo, hi = function(z.lo), function(z.hi)
            top = np.where((z.lo <= 0) & (z.hi >= 0), function(0.0), np.maximum(lo, hi))
            return widened(replace(z, lo=np.minimum(lo, hi), hi=top), FUNCTION)

    return on_range


def _absolute(x: Range, more: Any) -> Range:
    return replace(x, lo=x.lo - more, hi=x.hi + more)


_sigmoid = _rising(expit)
_sigmoid_slope = _peaked(lambda z: expit(z) * expit(-z))


def _slope_of_sigmoid(z: Range, form: str) -> Range:
    """σ(z)σ(-z); or σ(1 - σ), where 1 - σ is off by up to `FUNCTION` units of σ."""
    slope = _sigmoid_slope(z)
    if form == STABLE:
        return slope
    return _absolute(slope, 2 * FUNCTION * z.floats.u * _sigmoid(z).hi)


def _slope_of_tanh(z: Range, form: str) -> Range:
    """4 σ'(2z); or 1 - tanh², off by up to twice `FUNCTION` units of tanh² and its own rounding."""
    slope = 4 * _sigmoid_slope(2 * z)
    return slope if form == STABLE else _absolute(slope, (2 * FUNCTION + 4) * z.floats.u)


def _slope_of_relu(z: Range, form: str) -> Range:  # noqa: ARG001 (one form)
    return replace(z, lo=(z.lo > 0) * 1.0, hi=(z.hi > 0) * 1.0)


def _slope_of_leaky_relu(z: Range, form: str) -> Range:  # noqa: ARG001 (one form)
    leak = nearly(LEAK, z.floats)
    return replace(z, lo=np.where(z.lo >= 0, 1.0, leak.lo), hi=np.where(z.hi >= 0, 1.0, leak.hi))


def _within(x: Range, low: float, high: float) -> Range:
    """What a witness computes stays within these, but for a few roundings."""
    return replace(x, lo=np.maximum(x.lo, low), hi=np.minimum(x.hi, high))


def _phi(z: Range) -> Range:
    """Φ; below 0 it is as steep as e^(-z²/2): rounding z²/2, or z/√2, moves it by some u z²."""
    tail = 4 * np.clip(z.lo, -100, 0) ** 2  # at -100 it is 0 in every format
    return _within(widened(_rising(ndtr)(z), tail), 0, 1 + FUNCTION * z.floats.u)


def _density(z: Range) -> Range:
    """φ, the slope of Φ, with the same rounding of its exponent; at most 1/√(2π) < 0.4."""
    peak = _peaked(lambda z: np.exp(-z * z / 2) / np.sqrt(2 * np.pi))
    return _within(widened(peak(z), 4 * np.minimum(z.magnitude, 100) ** 2), 0, 0.4)


def _slope_of_gelu(z: Range, form: str) -> Range:  # noqa: ARG001 (one form)
    return _phi(z) + z * _density(z)


def _slope_of_softplus(z: Range, form: str) -> Range:
    """σ(z); or e^(z - softplus(z)), whose exponent is rounded."""
    slope = _sigmoid(z)
    return slope if form == STABLE else widened(slope, 40 * (1 + z.magnitude))


ACTIVATIONS = {
    "sigmoid": Activation(_sigmoid, _slope_of_sigmoid),
    "tanh": Activation(_rising(np.tanh), _slope_of_tanh),
    "relu": Activation(_rising(lambda z: np.maximum(z, 0)), _slope_of_relu),
    "leaky-relu": Activation(_rising(lambda z: np.maximum(z, LEAK * z)), _slope_of_leaky_relu),
    "gelu": Activation(lambda z: z * _phi(z), _slope_of_gelu),
    "softplus": Activation(_rising(lambda z: np.logaddexp(0, z)), _slope_of_softplus),
    "identity": Activation(lambda z: z, lambda z, form: exactly(np.ones(z.lo.shape), z.floats)),
}


def _mse(a: Range, y: Range, form: str) -> Range:  # noqa: ARG001 (one form)
    return 2 * (a - y)


def _huber(a: Range, y: Range, form: str) -> Range:
    """The residual, cut off at ±1; optax adds up ±(|r| - 1) and ±1, off by some units of 1."""
    r = a - y
    cut = replace(r, lo=np.clip(r.lo, -1, 1), hi=np.clip(r.hi, -1, 1))
    return cut if form == STABLE else _absolute(cut, 8 * r.floats.u)


def _bce(z: Range, y: Range, form: str) -> Range:
    """(1 - y) σ(z) - y σ(-z); optax gets both σ as derivatives of softplus."""
    return (1 - y) * _slope_of_softplus(z, form) - y * _slope_of_softplus(-z, form)


def _softmax_ce(z: Range, y: Range, form: str) -> Range:
    """p_j Σ y - y_j, or without the term that cancels: p_j Σ_{k≠j} y_k - y_j Σ_{k≠j} p_k."""
    p, rest = _probabilities(z)
    if form == CANCELLING:
        return p * total(y)[..., None] - y
    others = exactly(1 - np.eye(z.lo.shape[-1]), z.floats)
    return p * (y @ others) - y * rest


def _probabilities(z: Range) -> tuple[Range, Range]:
    """Softmax, and one less it: p_j is largest where z_j is and all other z_k are smallest."""
    classes = z.lo.shape[-1]
    others = 1 - np.eye(classes)
    top = z.hi.max(axis=-1, keepdims=True)
    lo, hi = np.exp(z.lo - top), np.exp(z.hi - top)
    least, most = lo @ others, hi @ others
    p = replace(z, lo=_part(lo, most, 0), hi=_part(hi, least, 1))
    rest = replace(z, lo=_part(least, hi, 0), hi=_part(most, lo, 1))
    # Exponents are differences that are rounded, and sums have as many terms as there are classes.
    spread = (z.hi.max(axis=-1, keepdims=True) - z.lo.min(axis=-1, keepdims=True)) + np.abs(top)
    units = 2 * FUNCTION + 2 * classes + 4 * spread
    most = 1 + FUNCTION * z.floats.u
    return _within(widened(p, units), 0, most), _within(widened(rest, units), 0, most)


def _part(some: Any, others: Any, unknown: float) -> Any:
    """some / (some + others); where both have become 0, nothing is known."""
    whole = some + others
    return np.where(whole > 0, some / np.where(whole > 0, whole, 1), unknown)


#: What turns logits into probabilities, for the losses that are on logits.
LINKS = {"bce": _sigmoid, "softmax-ce": lambda z: _probabilities(z)[0]}

#: n ∂L/∂a of an example, for each loss: (outputs, targets, form).
RESIDUALS = {"mse": _mse, "huber": _huber, "bce": _bce, "softmax-ce": _softmax_ce}


def _huber_loss(a: Range, y: Range) -> Range:
    """h of |r|, which rises with it."""
    r = a - y
    least = np.where((r.lo <= 0) & (r.hi >= 0), 0, np.minimum(np.abs(r.lo), np.abs(r.hi)))
    lo, hi = (np.where(d <= 1, d * d / 2, d - 0.5) for d in (least, r.magnitude))
    return widened(Range(lo, hi, r.floats), FUNCTION)


def _bce_loss(z: Range, y: Range) -> Range:
    """y softplus(-z) + (1 - y) softplus(z)."""
    softplus = ACTIVATIONS["softplus"].value
    return y * softplus(-z) + (1 - y) * softplus(z)


def _softmax_ce_loss(z: Range, y: Range) -> Range:
    """y_j (log Σ e^z - z_j); the difference rounds as its terms and the classes' sum do."""
    lo, hi = (logsumexp(end, axis=-1, keepdims=True) for end in (z.lo, z.hi))
    reach = FUNCTION + z.lo.shape[-1] + 4 * z.magnitude.max(axis=-1, keepdims=True)
    more = 2 * z.floats.u * reach
    return y * Range(np.maximum(lo - z.hi - more, 0), hi - z.lo + more, z.floats)


#: The loss of an example, output by output: (outputs, targets).
LOSSES = {
    "mse": lambda a, y: square(a - y),
    "huber": _huber_loss,
    "bce": _bce_loss,
    "softmax-ce": _softmax_ce_loss,
}
