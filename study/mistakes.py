"""Record the planted mistakes as programs, which the page runs in place of the right lines.

A mistake is recorded like the right lines, by running it on recorded numbers. Most lines of these
programs are equal, so there is one store of lines, and a mistake only lists the names that it
changes, with their lines in the store.
"""

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
from models.planted import MISTAKES, Plant

#: Mistakes that cannot be run as one pass on the page's numbers, and why.
ELSEWHERE = {
    "float32": "It computes in single precision, and this page in double.",
    "accumulates": "What it answers depends on all earlier calls, and not on the point alone.",
    "stale-parameters": "It needs the parameters that the epoch began with, not only the point's.",
    "last-sample-skipped": "It is wrong in which people it learns from, and right in every pass.",
    "wrong-sample": "It is wrong in which people it learns from, and right in every pass.",
}

_RIGHT = Plant("nothing is wrong", ())


def mistakes() -> dict[str, Any]:
    """Return all mistakes, and the store of their lines.

    Returns:
        `lines`: the store; `right`: for each form of σ' the right program's names and their lines;
        `list`: the mistakes, each with `slug`, `says`, `wrong`, `kind`, the `part` of the code that
        it is in, and `changes`: for each form of σ' the names whose lines are not the right
        program's, or None where the page cannot run it, for the reason `why`.
    """
    store = _Store()
    right = {form: store.add(_program(_RIGHT, form)) for form in SIGMOID_DERIVATIVES}
    listed = [_listed(slug, plant, store, right) for slug, plant in MISTAKES.items()]
    return {"lines": store.lines, "right": right, "list": listed}


def _listed(
    slug: str, plant: Plant, store: "_Store", right: dict[str, dict[str, int]]
) -> dict[str, Any]:
    changes = None
    if slug not in ELSEWHERE:
        found = {form: store.add(_program(plant, form)) for form in right}
        changes = {
            form: {name: line for name, line in at.items() if line != right[form].get(name)}
            for form, at in found.items()
        }
    return {
        "slug": slug,
        "says": plant.says,
        "wrong": plant.wrong,
        "kind": plant.kind,
        "part": "link" if plant.edits else "answer" if plant.kind == "gradient" else "loop",
        "changes": changes,
        "why": ELSEWHERE.get(slug),
    }


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


def _program(plant: Plant, form: str) -> Program:
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


def _backward(plant: Plant, form: str, point: _Point) -> tuple[dict[str, Array], Parameters]:
    """Return the factors that the lines name, and the nine derivatives."""
    gradient: Any = plant.gradient_in(form)
    found: list[Parameters] = []
    lines = manual.article.gradient_lines
    if plant.edits:  # its edited lines are compiled separately
        lines = gradient.func.__globals__[lines.__name__]
    bindings = Watch((lines,), {}).run(lambda: found.append(gradient(*point)))
    return {of.variable: of.value for of in bindings if of.variable.startswith("d")}, found[0]


def _updated(plant: Plant, form: str, point: _Point, grads: Parameters, rate: Array) -> Parameters:
    """Return the parameters after one update for the sample."""
    params, x, y = point
    eta: Any = rate  # recorded, as the parameters are
    if plant.kind == "gradient":
        return manual.sgd.update(params, grads, eta)
    one_update = plant.train_in(form)(
        params, x[None], y[None], plant.gradient_in(form), eta, np.array([[0]])
    )
    return next(one_update)
