"""The ranges in which every right program's gradient of a network of any shape lies.

The chain rule stands here once more, on ranges, so that the judge of the
two sides takes no line from either. It knows two forms in which right programs compute a gradient,
`stable` and `cancelling`; see `compare.networks.functions`.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from compare.networks.functions import ACTIVATIONS, LOSSES, Activation
from compare.rounding import (
    FLOAT64,
    Format,
    Range,
    added,
    exactly,
    joined,
    nearly,
    square,
    total,
    widened,
)
from manual.network import Network

STABLE, CANCELLING = "stable", "cancelling"

#: The ranges of the (w, b) of a layer.
Weights = tuple[Range, Range]

#: What overflows makes a range infinite or NaN, which `contains` takes for no proof.
_overflowing = np.errstate(all="ignore")


def gradient_ranges(
    network: Network, params: list[Any], x: Any, y: Any, floats: Format = FLOAT64
) -> dict[str, list[Weights]]:
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


@_overflowing
def step_ranges(
    network: Network, params: list[Any], x: Any, y: Any, floats: Format = FLOAT64
) -> Steps:
    """The ranges of every value and derivative; arguments as for `gradient_ranges`."""
    layers, (inputs, zs, outputs) = _passed(network, params, x, floats)
    loss, y = LOSSES[network.loss], exactly(y, floats)
    functions = [ACTIVATIONS[name] for name in network.activations]
    slopes = [f.slope(z) for f, z in zip(functions, zs, strict=True)]
    stable = backward(network, layers, inputs, slopes, loss.residual(outputs, y))
    cancelling = stable
    if any(row.cancelling for row in (*functions, loss)):
        slopes = [(f.cancelling or f.slope)(z) for f, z in zip(functions, zs, strict=True)]
        residual = (loss.cancelling or loss.residual)(outputs, y)
        cancelling = backward(network, layers, inputs, slopes, residual)
    return Steps(zs, [*inputs[1:], outputs], {STABLE: stable, CANCELLING: cancelling})


@_overflowing
def loss_ranges(
    network: Network, params: list[Any], x: Any, y: Any, floats: Format = FLOAT64
) -> Range:
    """The ranges of n losses, shape (n,); arguments as for `gradient_ranges`."""
    layers, (_, _, outputs) = _passed(network, params, x, floats)
    of_examples = total(LOSSES[network.loss].value(outputs, exactly(y, floats)))
    loss = widened(total(of_examples) / of_examples.middle.shape[-1], 8)
    if not network.l2:
        return loss
    squares = [total(total(square(w))) for w, _ in layers]
    return loss + nearly(network.l2, floats) * sum(squares[1:], squares[0])


@_overflowing
def output_ranges(network: Network, params: list[Any], x: Any, floats: Format = FLOAT64) -> Range:
    """The ranges of what n networks predict, shape (n, batch, n_out); arguments as there."""
    return LOSSES[network.loss].link(_passed(network, params, x, floats)[1].outputs)


def flattened(layers: Sequence[Weights]) -> Range:
    """The ranges of all parameters side by side, shape (n, p), from those of each layer."""
    each = [part for layer in layers for part in layer]
    return joined(lambda parts: np.concatenate([_in_rows(part) for part in parts], axis=-1), each)


def _in_rows(part: Any) -> Any:
    return part.reshape(len(part), -1)


class Forward(NamedTuple):
    """What goes into each layer, what is kept of it, and what comes out at the end."""

    inputs: list[Range]
    kept: list[Any]
    outputs: Range


def forward(
    network: Network,
    layers: Sequence[Weights],
    x: Range,
    activate: Callable[[Activation, Range], tuple[Range, Any]],
) -> Forward:
    """The passes of n networks; `activate` returns f(z), and what to keep of the layer."""
    inputs, kept, a = [], [], x
    for (w, b), name in zip(layers, network.activations, strict=True):
        inputs.append(a)
        a, keep = activate(ACTIVATIONS[name], added(a @ w, b[:, None, :]))
        kept.append(keep)
    return Forward(inputs, kept, a)


def _passed(
    network: Network, params: list[Any], x: Any, floats: Format
) -> tuple[list[Weights], Forward]:
    """The parameters, and the passes, of which every z is kept."""
    layers = [(exactly(w, floats), exactly(b, floats)) for w, b in params]
    return layers, forward(network, layers, exactly(x, floats), lambda f, z: (f.value(z), z))


def backward(
    network: Network,
    layers: Sequence[Weights],
    inputs: list[Range],
    slopes: list[Range],
    residual: Range,
) -> list[Backward]:
    """The passes back, from n ∂L/∂a."""
    # Eight units, two of them in the division, for the ways to multiply 2/n and its factors.
    da = widened(residual / residual.middle.shape[-2], 6)
    steps = []
    for (w, _), a, slope in zip(layers[::-1], inputs[::-1], slopes[::-1], strict=True):
        dz = da * slope
        dw_of_data, db = a.mT @ dz, total(dz, axis=-2)
        dw = dw_of_data
        if network.l2:
            dw = added(dw, 2 * (nearly(network.l2, w.floats) * w))
        steps.append(Backward(da, slope, dz, dw_of_data, dw, db))
        da = dz @ w.mT
    return steps[::-1]
