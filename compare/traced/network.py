"""Trace a network of any shape: all that `manual.network` computes for one example."""

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import replace
from functools import cache, partial
from typing import Any

import jax
import numpy as np

import autodiff.network
import manual.network
from autodiff import sgd
from autodiff.intermediates import See
from autodiff.precision import in_float64
from compare.limits import shape
from compare.recording.number import given
from compare.recording.watching import Binding, Watch
from compare.reference import STABLE, network_loss
from compare.trace import Trace
from compare.traced.assemble import Named, assemble, elements
from compare.traced.kinds import KINDS
from compare.traced.meanings import OF_DATA, WHOLE, Derivative, Value
from compare.traced.witnesses import Run, Witnesses
from manual.activations import sigmoid, sigmoid_derivative, softplus_forward
from manual.affine import Layer
from manual.losses import softmax
from manual.network import Network
from manual.optimisers import Sgd

WATCH = Watch(
    (manual.network.forward, manual.network.backward),
    {"σ": sigmoid, "σ′": sigmoid_derivative, "softplus": softplus_forward, "softmax[]": softmax},
)


def trace_network(
    network: Network,
    params: list[Layer],
    x: Any,
    y: Any,
    learning_rate: float = 0.1,
    about: dict[str, Any] | None = None,
) -> Trace:
    """Trace one example's forward and backward pass and one step of plain descent.

    Args:
        network: its description.
        params: its layers, float64.
        x, y: the example, shapes (n_in,) and (n_out,).
        learning_rate: η of the step.
        about: further facts about the pass, for the reader.

    Raises:
        InputError: a number of the pass is not finite.
        ValueError: a shape does not fit.
    """
    x, y = (np.asarray(of, np.float64)[None] for of in (x, y))
    params = [Layer(*(np.asarray(of, np.float64) for of in layer)) for layer in params]
    by_hand = [Layer(given(w), given(b)) for w, b in params]
    inputs, targets, rate, l2 = map(given, (x, y, learning_rate, network.l2))
    recorded = copy(network)
    penalty = {"λ": l2} if network.l2 else {}
    if network.l2:
        object.__setattr__(recorded, "l2", l2)  # which `Network` itself would refuse

    def lines() -> dict[str, Any]:
        _, cache = manual.network.forward(recorded, by_hand, inputs, targets)
        grads = manual.network.backward(recorded, cache)
        descent = Sgd(rate)  # pyright: ignore[reportArgumentType] (a recorded number)
        return _by_name(descent.update(by_hand, grads, descent.init(by_hand))[0])

    def step() -> tuple[dict[str, Any], dict[str, Any]]:
        layers = [autodiff.network.Layer(*layer) for layer in params]
        found = _step(network)(layers, x, y, learning_rate)
        return _by_name(found.grads), _by_name(found.params)

    bindings, updated = WATCH.run(lines)
    run, reference = _losses(network, autodiff.network.loss), _reference(network)
    return assemble(
        network,
        {
            "network": shape(network.sizes),
            **{kind: getattr(network, kind) for kind in KINDS},
            **(about or {}),
        },
        {"x": inputs, "y": targets, **_by_name(by_hand), **penalty, "η": rate},
        _named(network, bindings),
        (Sgd.update, updated),
        Witnesses(run, reference, STABLE, _by_name(params), (x, y), learning_rate, step),
    )


def _by_name(layers: Sequence[Any]) -> dict[str, Any]:
    """Name the arrays w0, b0, w1 and so on."""
    return {f"{of}{at}": getattr(layer, of) for at, layer in enumerate(layers) for of in "wb"}


def _named(network: Network, bindings: list[Binding]) -> Iterator[Named]:
    """Name the numbers; the backward pass meets the layers in reverse order."""
    layer, da = -1, given(())  # ∂L/∂a of the layer
    for function, variable, array, statement in bindings:
        step = statement.step.partition(" ")[0]
        backward = function == manual.network.backward.__name__
        if backward:
            layer -= (variable, step) == ("da", "(1)")
        else:
            layer += variable == "z"
        if layer < 0 or variable not in ("z", "a", "loss", "da", "dz", "dw", "db"):
            continue  # a = x, or what is kept for the backward pass
        title = {
            "(1)": f"z = a @ w + b, layer {layer}",
            "(2)": f"a = {network.activations[layer]}(z), layer {layer}",
            "(3)": f"L = {network.loss}(a, y)",
            "(4)": f"L + λ Σ w²{f', layer {layer}' * backward}",
        }[step]
        title = f"{'Undo ' * backward}{step} {title}"
        # With λ the loss of the data has a name of its own, and so have its slopes by weights.
        of_data = network.l2 and (variable, step) in (("loss", "(3)"), ("dw", "(1)"))
        loss = OF_DATA if of_data else WHOLE
        name = loss if variable == "loss" else f"{variable.removeprefix('d')}{layer}"
        if variable == "da":
            da = array
        for value, number in elements(name, array):
            if not backward:
                yield Named(value, number, variable, statement, title)
                continue
            if variable == "dz" and number is not (of_a := da.numbers[value.at]):
                # The other factor beside ∂L/∂a: f'(z)
                assert number.operation == "*"
                assert number.operands[0] is of_a
                slope = Derivative(Value(f"a{layer}", value.at), value)
                yield Named(slope, number.operands[1], "", statement, title)
            yield Named(Derivative(Value(loss), value), number, variable, statement, title)


@cache
def _losses(network: Network, loss: Callable[..., Any]) -> Run:
    """Return a network's loss as a function of named parameters: whole, and without λ Σ w².

    Args:
        network: its description.
        loss: (network, params, x, y, see=) -> the loss in JAX; the example is one row of each.
    """

    def run(named: Any, example: Any, see: See) -> dict[str, Any]:
        layers = range(len(network.activations))
        params = [autodiff.network.Layer(named[f"w{at}"], named[f"b{at}"]) for at in layers]
        whole = loss(network, params, *example, see=see)
        if not network.l2:
            return {WHOLE: whole}
        return {WHOLE: whole, OF_DATA: loss(replace(network, l2=0.0), params, *example, see=see)}

    return run


@cache
def _reference(network: Network) -> Callable[[str], Run]:
    return lambda form: _losses(network, partial(network_loss, form=form))


@cache
def _step(network: Network) -> Callable[..., sgd.Step]:
    """Compile the gradient and update of the step that training by autodiff takes."""
    return in_float64(jax.jit(sgd.step(partial(autodiff.network.loss, network))))
