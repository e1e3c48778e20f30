"""Trace a network of any shape: all that `manual.network` computes for one example.

Layers, units and inputs are counted from 0, as the arrays are: z0[1] is the pre-activation of the
second unit of the first layer, w0[2,1] its weight of the third input.
"""

import re
from collections.abc import Iterator, Mapping
from copy import copy
from functools import partial
from typing import Any, NamedTuple

import numpy as np

import manual.network
from compare.limits import shape
from compare.recording.arrays import given
from compare.recording.number import Number
from compare.recording.watching import Binding, Statement, Watch, statements
from compare.symbols import Symbol, element
from compare.trace import (
    FACTOR,
    GRADIENT,
    INPUT,
    LOSS,
    PARAMETER,
    UPDATE,
    VALUE,
    Quantity,
    Trace,
)
from compare.traced import reasons
from compare.traced.assemble import (
    Computed,
    Given,
    assemble,
    derivative_symbol,
    refuse_what_overflows,
)
from compare.traced.network_checks import checks
from compare.traced.witnesses import OF_DATA, WHOLE, Derivative, Updated, Value
from manual.activations import sigmoid, sigmoid_derivative, softplus_forward
from manual.affine import Layer
from manual.losses import softmax
from manual.network import Network
from manual.optimisers import Sgd

FORWARD, BACKWARD = manual.network.forward.__name__, manual.network.backward.__name__

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
    recorder = _Recorder(network, params, x, y, learning_rate)
    started, computed = recorder.run()
    refuse_what_overflows(computed)
    description = {
        "network": shape(network.sizes),
        "activation": network.activation,
        "output": network.output,
        "loss": network.loss,
        "l2": network.l2,
        **(about or {}),
    }
    of_pass = checks(network, params, x, y, learning_rate)
    return assemble(description, started, computed, of_pass, partial(reason, network))


class Place(NamedTuple):
    """The place of a number: an array `w`, `b`, `z`, `a`, x or y, a layer, and indices."""

    letter: str
    layer: int | None
    indices: tuple[int, ...]

    @property
    def name(self) -> str:
        """The name, such as z0[1] or x[0]."""
        return self.symbol.text

    @property
    def symbol(self) -> Symbol:
        """The symbol."""
        return element(*self)

    @property
    def value(self) -> Value:
        """The place in the arrays of a pass, where z and a have a row for each example."""
        rows = (0,) if self.letter in ("z", "a") else ()
        return Value(f"{self.letter}{self.layer}", (*rows, *self.indices))


def places(letter: str, layer: int | None, shape: tuple[int, ...]) -> Iterator[Place]:
    """Yield the places of an array's elements."""
    for indices in np.ndindex(shape):
        yield Place(letter, layer, indices)


_L = Symbol(WHOLE, "L")
_L_DATA = Symbol(OF_DATA, r"L_{\text{data}}")


class _Recorder:
    """Runs the lines on recorded numbers and names each number."""

    def __init__(
        self, network: Network, params: list[Layer], x: np.ndarray, y: np.ndarray, rate: float
    ) -> None:
        self.network = network
        self.l2 = given(network.l2)
        self.params = [Layer(given(w), given(b)) for w, b in params]
        self.x, self.y, self.rate = given(x), given(y), given(rate)
        self.came_back: dict[Place, Number] = {}  # ∂L/∂a

    def run(self) -> tuple[list[Given], list[Computed]]:
        new: list[Layer] = []

        network = self._with_recorded_l2()

        def lines() -> None:
            _, cache = manual.network.forward(network, self.params, self.x, self.y)
            grads = manual.network.backward(network, cache)
            descent = Sgd(self.rate)  # pyright: ignore[reportArgumentType] (a recorded number)
            new.extend(descent.update(self.params, grads, descent.init(self.params))[0])

        bindings = WATCH.run(lines)
        return list(self._given()), [*self._named(bindings), *self._update(new)]

    def _given(self) -> Iterator[Given]:
        for letter, array in (("x", self.x), ("y", self.y)):
            for at in places(letter, None, array.shape[1:]):
                yield Given(at.name, at.symbol, INPUT, array.numbers[0, *at.indices], at.value)
        for layer, arrays in enumerate(self.params):
            for letter, array in zip(Layer._fields, arrays, strict=True):
                for at in places(letter, layer, array.shape):
                    yield Given(at.name, at.symbol, PARAMETER, array.numbers[at.indices], at.value)
        if self.network.l2:
            yield Given("λ", Symbol("λ", r"\lambda"), INPUT, self.l2.numbers[()], Value("λ"))
        yield Given("η", Symbol("η", r"\eta"), INPUT, self.rate.numbers[()], Value("η"))

    def _with_recorded_l2(self) -> Network:
        """Return the network with a recorded number as λ, which `Network` itself would refuse."""
        network = copy(self.network)
        if self.network.l2:
            object.__setattr__(network, "l2", self.l2)
        return network

    def _named(self, bindings: list[Binding]) -> Iterator[Computed]:
        """Name the numbers; the backward pass meets the layers in reverse order."""
        layer, seen = -1, set()
        for binding in bindings:
            variable = binding.variable
            if binding.function == FORWARD:
                layer += variable == "z"
                if layer >= 0 and variable in ("z", "a", "loss"):
                    yield from self._forward(binding, layer, first="loss" not in seen)
            elif variable in ("da", "dz", "dw", "db"):
                if variable == "da" and "da" in seen:
                    layer -= 1
                yield from self._backward(binding, layer, first=(layer, variable) not in seen)
                seen.add((layer, variable))
            seen.add(variable)

    def _forward(self, binding: Binding, layer: int, first: bool) -> Iterator[Computed]:
        variable, statement = binding.variable, binding.statement
        if variable == "loss":
            of_data = first and self.network.l2
            name, symbol = (OF_DATA, _L_DATA) if of_data else (WHOLE, _L)
            what = f"L = {self.network.loss}(a, y)" if first else "L + λ Σ w²"
            title = f"{_number(statement)} {what}"
            number = binding.value.numbers[()]
            parts = (number, statement, "loss", title, Value(name))
            yield Computed(name, variable, symbol, LOSS, *parts)
            return
        what = "z = a @ w + b" if variable == "z" else f"a = {self.network.activations[layer]}(z)"
        title = f"{_number(statement)} {what}, layer {layer}"
        for at in places(variable, layer, binding.value.shape[1:]):
            number = binding.value.numbers[0, *at.indices]
            parts = (number, statement, "forward", title, at.value)
            yield Computed(at.name, variable, at.symbol, VALUE, *parts)

    def _backward(self, binding: Binding, layer: int, first: bool) -> Iterator[Computed]:
        variable, statement, array = binding.variable, binding.statement, binding.value
        letter = variable.removeprefix("d")
        title = self._undone(statement, layer)
        rows = letter in "az"
        for at in places(letter, layer, array.shape[rows:]):
            number = array.numbers[(0, *at.indices) if rows else at.indices]
            if letter == "a":
                self.came_back[at] = number
            if letter == "z":
                yield from self._slope(number, at, statement, title)
            # With l2, a weight has two derivatives: of the data's loss, and of the whole loss.
            loss = _L_DATA if self.network.l2 and first and letter == "w" else _L
            kind = GRADIENT if letter == "b" or (letter == "w" and loss is _L) else FACTOR
            name = f"d{at.name}" + ("_data" if loss is _L_DATA else "")
            symbol = derivative_symbol(loss, at.symbol)
            meaning = Derivative(Value(loss.text), at.value)
            parts = (number, statement, "backward", title, meaning)
            yield Computed(name, variable, symbol, kind, *parts)

    def _slope(
        self, number: Number, at: Place, statement: Statement, title: str
    ) -> Iterator[Computed]:
        """Yield f'(z), if the lines multiply by it: the other factor of ∂L/∂z beside ∂L/∂a."""
        a = at._replace(letter="a")
        if number is self.came_back[a]:
            return
        assert number.operation == "*"
        assert number.operands[0] is self.came_back[a]
        symbol = derivative_symbol(a.symbol, at.symbol)
        meaning = Derivative(a.value, at.value)
        parts = (number.operands[1], statement, "backward", title, meaning)
        yield Computed(f"da_dz{at.name[1:]}", "", symbol, FACTOR, *parts)

    def _undone(self, statement: Statement, layer: int) -> str:
        number = _number(statement)
        if number == "(3)":
            return f"Undo (3) L = {self.network.loss}(a, y)"
        if number == "(4)":
            return f"Undo (4) L + λ Σ w², layer {layer}"
        what = "z = a @ w + b" if number == "(1)" else f"a = {self.network.activations[layer]}(z)"
        return f"Undo {number} {what}, layer {layer}"

    def _update(self, new: list[Layer]) -> Iterator[Computed]:
        statement = next(iter(statements(Sgd.update).values()))
        title = "w ← w - η ∂L/∂w, for every parameter"
        for layer, arrays in enumerate(new):
            for letter, array in zip(Layer._fields, arrays, strict=True):
                for at in places(letter, layer, array.shape):
                    text, latex = at.symbol
                    symbol = Symbol(f"{text} new", rf"{{{latex}}}^{{\text{{new}}}}")
                    number = array.numbers[at.indices]
                    parts = (number, statement, "update", title, Updated(at.value))
                    yield Computed(f"{at.name}_new", "", symbol, UPDATE, *parts)


def reason(network: Network, quantity: Quantity, known: Mapping[str, Quantity]) -> str:
    """Return why a number of the lines is computed as it is."""
    if quantity.kind == LOSS:
        return reasons.PENALTY if OF_DATA in known else reasons.LOSSES[network.loss]
    if quantity.kind == UPDATE:
        return reasons.UPDATE.format(by=quantity.name.removesuffix("_new"))
    if quantity.derivative is None:
        if quantity.name.startswith("z"):
            return reasons.weighted_sum(quantity.name)
        activation = network.activations[_layer(quantity.name)]
        return reasons.activated(activation, quantity.depends_on[0])
    return _reason_of_slope(network, quantity, known)


def _reason_of_slope(network: Network, quantity: Quantity, known: Mapping[str, Quantity]) -> str:
    assert quantity.derivative
    of, by = quantity.derivative
    if of.startswith("a"):
        return reasons.activation_slope(of, by)
    if by.startswith("z"):
        return reasons.through_activation(by, f"a{by[1:]}", len(quantity.factors) == 1)
    slopes = [name for name in quantity.depends_on if known[name].derivative]
    if by.startswith("a"):
        if _layer(by) == len(network.sizes) - 2:
            return reasons.LOSS_SLOPES[network.loss].format(by=by)
        return reasons.paths(by, [_by(known[slope]) for slope in slopes])
    if f"d{by}_data" in known:
        return reasons.PENALTY_SLOPE.format(by=by)
    (slope,) = (known[name] for name in slopes)
    through = (_by(slope), of, slope.symbol)
    if by.startswith("b"):
        return reasons.added(by, *through)
    (partner,) = (name for name in quantity.depends_on if name not in slopes)
    return reasons.times(by, partner, *through)


def _by(slope: Quantity) -> str:
    """Return what a derivative is by."""
    assert slope.derivative
    return slope.derivative[1]


def _layer(name: str) -> int:
    return int(re.findall(r"\d+", name)[0])


def _number(statement: Statement) -> str:
    return statement.step.partition(" ")[0]
