"""Trace the article's 2-2-1 network: all that `manual.article` computes for one sample."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

import autodiff.article
import manual.article
import manual.sgd
from autodiff.intermediates import See
from compare.agreement import FORMS, stack
from compare.recording.arrays import Array, given
from compare.recording.watching import RETURN, Binding, Watch, statements
from compare.reference import article_loss
from compare.symbols import Symbol, variable
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
    Checks,
    Computed,
    Given,
    assemble,
    derivative_symbol,
    refuse_what_overflows,
)
from compare.traced.witnesses import Bounds, Derivative, Run, Updated, Value, Witnesses
from manual.activations import SIGMOID_DERIVATIVES, sigmoid, sigmoid_derivative
from manual.article import Parameters
from manual.losses import squared_error

NAMES = Parameters._fields

WATCH = Watch(
    (manual.article.forward_lines, manual.article.gradient_lines, squared_error),
    {"σ": sigmoid, "σ′": sigmoid_derivative},
)


def trace_article(
    params: Any,
    x: Any,
    y: float,
    sigmoid_derivative: str = "stable",
    learning_rate: float = 0.1,
    about: dict[str, Any] | None = None,
) -> Trace:
    """Trace one sample's forward and backward pass and one update of the article's network.

    Args:
        params: nine numbers.
        x: the two inputs, shape (2,).
        y: the target.
        sigmoid_derivative: the form of σ' that the hand lines use, `stable` or `article`.
        learning_rate: η of the update.
        about: further facts about the pass, for the reader.

    Raises:
        InputError: a number of the pass is not finite.
    """
    point = Point(stack(params), np.asarray(x, np.float64), float(y), learning_rate)
    started, computed = _recorded(point, sigmoid_derivative)
    refuse_what_overflows(computed)
    description = {"network": "2-2-1", "sigmoid_derivative": sigmoid_derivative, **(about or {})}
    return assemble(description, started, computed, checks(point, sigmoid_derivative), reason)


class Point:
    """The point of the pass, as floats and as recorded numbers."""

    def __init__(self, params: np.ndarray, x: np.ndarray, y: float, rate: float) -> None:
        self.params, self.x, self.y, self.rate = params, x, np.float64(y), rate
        self.recorded = Parameters(*map(given, params)), given(x), given(y), given(rate)

    def given(self) -> list[Given]:
        """Return inputs, target, parameters and η."""
        params, x, y, rate = self.recorded
        inputs = {"x1": x[0], "x2": x[1], "y": y}
        return [
            *(_given(name, INPUT, of) for name, of in inputs.items()),
            *(_given(name, PARAMETER, of) for name, of in params._asdict().items()),
            Given("η", Symbol("η", r"\eta"), INPUT, _number(rate), Value("η")),
        ]


def _given(name: str, kind: str, of: Array) -> Given:
    return Given(name, symbol(name), kind, _number(of), Value(name))


def _number(array: Array) -> Any:
    return array.numbers[()]


def meant(name: str) -> Value | Derivative:
    """Return the value or derivative that a variable of the lines stands for."""
    derivative = re.fullmatch(r"d(\w+)_d(\w+)", name)
    return Derivative(*map(Value, derivative.groups())) if derivative else Value(name)


def symbol(name: str) -> Symbol:
    """Return a variable's symbol: ∂L/∂w1 for `dL_dw1`."""
    meaning = meant(name)
    if isinstance(meaning, Derivative):
        return derivative_symbol(symbol(meaning.of.of), symbol(meaning.by.of))
    return variable(name)


def _recorded(point: Point, form: str) -> tuple[list[Given], list[Computed]]:
    """Run the lines on recorded numbers."""
    params, x, y, rate = point.recorded
    updated: list[Parameters] = []

    def lines() -> None:
        steps = manual.article.forward(params, x)
        squared_error(y, steps.ypred)
        slope = SIGMOID_DERIVATIVES[form]
        grads = manual.article.gradient_lines(params, x[..., 0], x[..., 1], y, steps, slope)
        eta: Any = rate  # recorded, as the parameters are
        updated.append(manual.sgd.update(params, grads, eta))

    started, bindings = point.given(), WATCH.run(lines)
    known = {start.name for start in started}
    computed = []
    for binding in bindings:
        quantity = _computed(binding, bindings)
        if quantity.name not in known:
            computed.append(quantity)
            known.add(quantity.name)
    return started, computed + _update(updated[0])


def _computed(binding: Binding, bindings: list[Binding]) -> Computed:
    statement, variable = binding.statement, binding.variable
    if binding.function == squared_error.__name__:
        assert variable == RETURN, "a step inside the loss: it needs a name of its own"
        # The number of the loss's step is in the comment where it is undone.
        title = _spaced(next(b.statement.step for b in bindings if b.variable == "dL_dypred"))
        name, kind, phase = "L", LOSS, "loss"
    elif binding.function == manual.article.forward_lines.__name__:
        name, kind, phase = variable, VALUE, "forward"
        title = f"{statement.step} {_spaced(statement.text)}"
    else:
        whole = variable in {f"dL_d{parameter}" for parameter in NAMES}
        name, kind, phase = variable, GRADIENT if whole else FACTOR, "backward"
        title = f"Undo {_spaced(statement.step)}"
        title += ": the chain rule" if whole else ": on to h1 and h2" * variable.endswith(_ON)
    parts = (_number(binding.value), statement, phase, title, meant(name))
    return Computed(name, variable, symbol(name), kind, *parts)


#: Endings of factors that lead to the hidden units.
_ON = ("_dh1", "_dh2")


def _spaced(code: str) -> str:
    """Format a line of code as a formula."""
    return re.sub(r"\s*\*\s*", " · ", code.replace("**2", "²"))


def _update(new: Parameters) -> list[Computed]:
    (statement,) = set(statements(manual.sgd.update).values())
    return [
        Computed(
            name=f"{name}_new",
            variable="",
            symbol=Symbol(f"{name} new", rf"{symbol(name).latex}^{{\text{{new}}}}"),
            kind=UPDATE,
            number=_number(value),
            statement=statement,
            phase="update",
            title="w ← w - η ∂L/∂w, for every parameter",
            meaning=Updated(Value(name)),
        )
        for name, value in new._asdict().items()
    ]


def reason(quantity: Quantity, known: Mapping[str, Quantity]) -> str:
    """Return why a number of the article's lines is computed as it is."""
    if quantity.kind == LOSS:
        return reasons.LOSSES["mse"]
    if quantity.kind == UPDATE:
        return reasons.UPDATE.format(by=quantity.name.removesuffix("_new"))
    if quantity.derivative is None:
        (z, *others) = quantity.depends_on
        if others:
            return reasons.weighted_sum(quantity.symbol)
        return reasons.activated("sigmoid", z)
    of, by = quantity.derivative
    if by == "ypred":
        return reasons.SQUARED_DISTANCE_SLOPE.format(by=by)
    if not quantity.factors:
        return reasons.activation_slope(of, by)
    slopes = [known[name] for name in quantity.factors if known[name].derivative]
    between = [slope.derivative[1] for slope in slopes if slope.derivative]
    if quantity.kind == GRADIENT:
        return reasons.chained(by, between[-2::-1], of)
    partners = quantity.factors[1:]
    through = (*partners, *between, of, slopes[0].symbol)
    return reasons.times(by, *through) if partners else reasons.added(by, *through)


def _loss(named: Any, sample: Any, see: See) -> dict[str, Any]:
    params, (x, y) = autodiff.article.Parameters(*(named[name] for name in NAMES)), sample
    return {"L": autodiff.article.loss(params, x, y, see)}


@cache
def _reference(form: str) -> Run:
    def run(named: Any, sample: Any, see: See) -> dict[str, Any]:
        params = Parameters(*(named[name] for name in NAMES))
        return {"L": article_loss(params, *sample, see=see, form=form)}

    return run


def checks(point: Point, form: str) -> Checks:
    """Return the checks of a pass and a step; `form` is that of σ' by hand."""
    auto = autodiff.article.Parameters(*point.params)
    one = autodiff.article.Parameters(*(np.asarray(of)[None] for of in auto))
    x, y = point.x[None], np.asarray(point.y)[None]
    step = autodiff.article.steps(one, x, y, point.rate)
    witnesses = Witnesses(_loss, auto._asdict(), (point.x, point.y))
    gradient = autodiff.article.gradient(auto, point.x, point.y)._asdict()
    updated = {name: of[0] for name, of in step.params._asdict().items()}
    bounds = Bounds(_reference, FORMS[form], witnesses)
    return Checks(witnesses, bounds, point.rate, gradient, updated)
