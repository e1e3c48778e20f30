"""Record the planted mistakes as programs, which the page runs in place of the right lines.

A mistake is recorded like the right lines, by running it on recorded numbers. Most lines of these
programs are equal, so there is one store of lines, and a mistake only lists the names that it
changes, with their lines in the store.
"""

import inspect
from textwrap import dedent
from typing import Any

import numpy as np

import manual.article
import manual.sgd
from compare.recording.arrays import Array, given
from compare.recording.program import GIVEN, Program, program
from compare.recording.watching import Watch
from manual.activations import SIGMOID_DERIVATIVES
from manual.article import Parameters
from manual.losses import squared_error
from models.edits import changed
from models.model import Slip
from models.planted import LINKS, LOOPS, MISTAKES, answer, gradient_in, train_in

#: Mistakes that cannot be run as one pass on the page's numbers, and why.
ELSEWHERE = {
    "float32": "It computes in single precision, and this page in double.",
    "accumulates": "What it answers depends on all earlier calls, and not on the point alone.",
    "stale-parameters": "It needs the parameters that the epoch began with, not only the point's.",
    "last-sample-skipped": "It is wrong in which people it learns from, and right in every pass.",
    "wrong-sample": "It is wrong in which people it learns from, and right in every pass.",
}

#: What the judge says of those, where it is not that the gradient agrees.
JUDGED = {"float32": "imprecise", "accumulates": "disagree"}

#: What goes wrong, by a word for the address: a title, and the mistakes.
GROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "factor": (
        "A factor missing or too many",
        (
            "missing-square",
            "half-mse",
            "double-mean",
            "no-activation-derivative-output",
            "no-activation-derivative-hidden",
            "bias-without-derivative",
            "activation-derivative-twice",
            "dropped-term-w5",
            "dropped-term-loss",
            "bias-takes-input",
            "learning-rate-inside",
        ),
    ),
    "sign": ("A wrong sign", ("residual-sign", "minus-missing", "ascends")),
    "function": (
        "Another function's slope",
        (
            "absolute-error",
            "cross-entropy-shortcut",
            "sigmoid-of-z",
            "tanh-derivative",
            "decay-factor",
        ),
    ),
    "variable": (
        "A wrong variable",
        (
            "sigmoid-of-activation",
            "derivative-at-another-unit",
            "derivative-at-another-layer",
            "dx-untransposed",
            "dw-after-activation",
            "dw-before-activation",
            "wrong-input",
            "everything-through-h1",
            "hidden-factor-in-w5",
            "inputs-swapped",
            "bias-forgotten-in-forward",
        ),
    ),
    "order": (
        "A wrong place",
        ("dw-transposed", "exchanged", "order-of-parameters"),
    ),
    "digits": (
        "Zeros, limits, digits",
        (
            "zeroed-element",
            "small-elements-zeroed",
            "saturated-unit-zeroed",
            "clipped",
            "off-by-a-millionth",
            "off-by-1e-12",
            "not-a-number",
            "float32",
            "central-difference",
        ),
    ),
    "loop": (
        "The loop",
        (
            "update-before-use",
            "stale-parameters",
            "last-sample-skipped",
            "wrong-sample",
            "bias-not-updated",
            "accumulates",
        ),
    ),
}

_RIGHT = Slip("nothing is wrong")

#: The lines that mistakes are edits of, by the part of the code: of the chain rule, around it, and
#: of the training loop.
_LINES = {
    "link": inspect.getsource(manual.article.gradient_lines),
    "answer": inspect.getsource(answer),
    "loop": inspect.getsource(manual.sgd.train),
}


def mistakes() -> dict[str, Any]:
    """Return all mistakes, and the store of their lines.

    Returns:
        `lines`: the store; `right`: for each form of σ' the right program's names and their lines;
        `groups`: words and titles of what goes wrong; `list`: the mistakes, each with `slug`,
        `says`, `wrong`, `kind`, the `part` of the code that it is in, its `group`, its `edits`, as
        right and wrong lines of code, and `changes`: for each form of σ' the names whose lines are
        not the right program's, or None where the page cannot run it, for the reason `why`; there
        `judge` is the judge's verdict.
    """
    store = _Store()
    right = {form: store.add(_program(_RIGHT, form)) for form in SIGMOID_DERIVATIVES}
    listed = [_listed(slug, plant, store, right) for slug, plant in MISTAKES.items()]
    groups = {word: title for word, (title, _) in GROUPS.items()}
    return {"lines": store.lines, "right": right, "groups": groups, "list": listed}


def _listed(
    slug: str, plant: Slip, store: "_Store", right: dict[str, dict[str, int]]
) -> dict[str, Any]:
    part = "loop" if slug in LOOPS else "link" if slug in LINKS else "answer"
    lines, changes = _LINES[part], None
    if slug not in ELSEWHERE:
        found = {form: store.add(_program(plant, form)) for form in right}
        changes = {
            form: {name: line for name, line in at.items() if line != right[form].get(name)}
            for form, at in found.items()
        }
    return {
        "slug": slug,
        "says": plant.says,
        "wrong": plant.leaves,
        "kind": "training" if slug in LOOPS else "gradient",
        "part": part,
        "group": next(word for word, (_, slugs) in GROUPS.items() if slug in slugs),
        "edits": [
            _without_common(lines, changed(lines, edit))
            for edit in plant.edits
            if not isinstance(edit, dict)
        ],
        "changes": changes,
        "why": ELSEWHERE.get(slug),
        "judge": JUDGED.get(slug, "agree") if slug in ELSEWHERE else None,
    }


def _without_common(right: str, wrong: str) -> tuple[str, str]:
    """Drop the lines with which both begin and end, and the margin."""
    before, after = right.splitlines(), wrong.splitlines()
    for at in (0, -1):
        while before and after and before[at] == after[at]:
            del before[at], after[at]
    old, new = (dedent("\n".join(lines)) for lines in (before, after))
    return old, new


class _Store:
    """A store of the lines of many programs, each once."""

    def __init__(self) -> None:
        self.lines: list[tuple[Any, ...]] = []
        self._known: dict[tuple[Any, ...], int] = {}

    def add(self, of: Program) -> dict[str, int]:
        """Add a program; return its names with their lines in the store."""
        named = {line: name for name, line in reversed(list(of.at.items()))}
        moved: list[int] = []
        for at, line in enumerate(of.lines):
            operands = tuple(moved[operand] for operand in line.operands)
            # As text, because JSON has no NaN, and to keep 0 and -0 distinct.
            value = None if line.value is None else repr(line.value)
            name = named[at] if line.operation == GIVEN else None
            key = (line.operation, operands, value, name)
            if key not in self._known:
                self._known[key] = len(self.lines)
                self.lines.append((line.operation, operands, *([] if value is None else [value])))
            moved.append(self._known[key])
        return {name: moved[line] for name, line in of.at.items()}


def _program(plant: Slip, form: str) -> Program:
    """Record one pass with a mistake: values, factors, derivatives and updates by name.

    The values and the loss are those of the right forward pass: every mistake comes after it, even
    one with its own forward pass.
    """
    # The numbers do not matter: the lines only depend on them through recorded operations.
    point = (
        Parameters(*map(given, manual.article.ones_parameters())),
        given([-2.0, -1.0]),
        given(1.0),
    )
    (params, x, y), rate = point, given(0.1)
    named: dict[str, Array] = {"x1": x[0], "x2": x[1], "y": y, **params._asdict(), "η": rate}
    with np.errstate(all="ignore"):  # NumPy checks the results of object arrays, too
        steps = manual.article.forward(params, x)
        factors, grads = _backward(plant, form, point)
        new = _updated(plant, form, point, grads, rate)
    named |= steps._asdict() | {"L": squared_error(y, steps.ypred)} | factors
    named |= {f"dL_d{name}": of for name, of in grads._asdict().items()}
    named |= {f"{name}_new": of for name, of in new._asdict().items()}
    return program({name: of.numbers[()] for name, of in named.items()})


#: Recorded parameters, inputs and target.
_Point = tuple[Parameters, Array, Array]


def _backward(plant: Slip, form: str, point: _Point) -> tuple[dict[str, Array], Parameters]:
    """Return the factors that the lines name, and the nine derivatives."""
    gradient: Any = gradient_in(plant, form)
    found: list[Parameters] = []
    lines = manual.article.gradient_lines
    if plant in LINKS.values():  # its edited lines are compiled separately
        lines = gradient.func.__globals__[lines.__name__]
    bindings = Watch((lines,), {}).run(lambda: found.append(gradient(*point)))
    return {of.variable: of.value for of in bindings if of.variable.startswith("d")}, found[0]


def _updated(plant: Slip, form: str, point: _Point, grads: Parameters, rate: Array) -> Parameters:
    """Return the parameters after one update for the sample."""
    params, x, y = point
    eta: Any = rate  # recorded, as the parameters are
    if plant not in LOOPS.values():
        return manual.sgd.update(params, grads, eta)
    one_update = train_in(plant, form)(
        params, x[None], y[None], gradient_in(plant, form), eta, np.array([[0]])
    )
    return next(one_update)
