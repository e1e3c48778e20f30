"""Trace the article's 2-2-1 network: all that `manual.article` computes for one sample."""

import re
from collections.abc import Iterator
from functools import cache, partial
from typing import Any

import numpy as np

import autodiff.article
import manual.article
import manual.sgd
from autodiff.intermediates import See
from compare.agreement import FORMS, NAMES, stack
from compare.recording.number import given
from compare.recording.watching import RETURN, Binding, Watch
from compare.reference import article_loss
from compare.trace import Trace
from compare.traced.assemble import Named, assemble
from compare.traced.meanings import WHOLE, Derivative, Value
from compare.traced.witnesses import Run, Witnesses
from manual.activations import SIGMOID_DERIVATIVES, sigmoid, sigmoid_derivative
from manual.article import Parameters
from manual.losses import squared_error
from manual.network import Network

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
    params, x, y = stack(params), np.asarray(x, np.float64), np.float64(y)
    by_hand = Parameters(*map(given, params))
    inputs, target, rate = map(given, (x, y, learning_rate))

    def lines() -> dict[str, Any]:
        steps = manual.article.forward(by_hand, inputs)
        squared_error(target, steps.ypred)
        slope = SIGMOID_DERIVATIVES[sigmoid_derivative]
        grads = manual.article.gradient_lines(by_hand, inputs[0], inputs[1], target, steps, slope)
        eta: Any = rate  # recorded, as the parameters are
        return manual.sgd.update(by_hand, grads, eta)._asdict()

    def step() -> tuple[dict[str, Any], dict[str, Any]]:
        one = autodiff.article.Parameters(*params[:, None])
        after = autodiff.article.steps(one, x[None], np.asarray(y)[None], learning_rate).params
        gradient = autodiff.article.gradient(autodiff.article.Parameters(*params), x, y)
        return gradient._asdict(), {name: of[0] for name, of in after._asdict().items()}

    bindings, updated = WATCH.run(lines)
    form, named = FORMS[sigmoid_derivative], dict(zip(NAMES, params, strict=True))
    return assemble(
        Network((2, 2, 1), output="sigmoid"),
        {"network": "2-2-1", "sigmoid_derivative": sigmoid_derivative, **(about or {})},
        {"x1": inputs[0], "x2": inputs[1], "y": target, **by_hand._asdict(), "η": rate},
        _named(bindings),
        (manual.sgd.update, updated),
        Witnesses(_run(), _run, form, named, (x, y), learning_rate, step),
    )


def _named(bindings: list[Binding]) -> Iterator[Named]:
    # The number of the loss's step is in the comment where it is undone.
    of_loss = next(b.statement.step for b in bindings if b.variable == "dL_dypred")
    for function, variable, value, statement in bindings:
        derivative = re.fullmatch(r"d(\w+)_d(\w+)", variable)
        if function == squared_error.__name__:
            assert variable == RETURN, "a step inside the loss: it needs a name of its own"
            meaning, title = Value(WHOLE), of_loss
        elif derivative:
            meaning = Derivative(*map(Value, derivative.groups()))
            title = f"Undo {statement.step}"
            if meaning.of == Value(WHOLE) and meaning.by.of in NAMES:
                title += ": the chain rule"
            elif meaning.by.of in ("h1", "h2"):
                title += ": on to h1 and h2"
        else:
            meaning, title = Value(variable), f"{statement.step} {statement.text}"
        title = re.sub(r"\s*\*\s*", " · ", title.replace("**2", "²"))
        yield Named(meaning, value.numbers[()], variable, statement, title)


@cache
def _run(form: str | None = None) -> Run:
    """Return the loss of named parameters: the third program's of a form, or autodiff's."""
    loss = partial(article_loss, form=form) if form else autodiff.article.loss

    def run(named: Any, sample: Any, see: See) -> dict[str, Any]:
        params: Any = Parameters(*(named[name] for name in NAMES))
        return {WHOLE: loss(params, *sample, see=see)}

    return run
