"""Mistakes in the training loop, around a right gradient: most are edits of `manual.sgd.train`."""

from collections.abc import Iterator
from typing import Any

import numpy as np

import manual.sgd
from manual.article import Parameters, forward, gradient_lines
from manual.sgd import update
from models.edits import Edit, edited
from models.planted.plant import HIDDEN, NAMES, Derivative, Loop, Plant


def _loop(says: str, wrong: tuple[str, ...], *edits: Edit) -> Plant:
    return Plant(says, wrong, loop=lambda _: edited(manual.sgd.train, *edits), shown=edits)


def _too_early(slope: Derivative) -> Loop:
    """Update the output's parameters first, so that the hidden derivatives use the new ones."""

    def train(
        params: Parameters, xs: Any, ys: Any, gradient: Any, rate: float, order: Any
    ) -> Iterator[Parameters]:
        for sample in np.ravel(order):
            x, y = xs[sample], ys[sample]
            output = update(params, gradient(params, x, y), rate)
            halfway = params._replace(w5=output.w5, w6=output.w6, b3=output.b3)
            # The values of the forward pass are kept, as in the code that had this mistake.
            kept = forward(params, x)
            late = gradient_lines(halfway, x[0], x[1], y, kept, slope)
            hidden = update(params, late, rate)
            params = halfway._replace(**{name: getattr(hidden, name) for name in HIDDEN})
            yield params

    return train


#: The lines that mistakes replace.
GRADS = "grads = gradient(params, xs[sample], ys[sample])"
LOOP, UPDATE = "for sample in np.ravel(order):", "update(params, grads, learning_rate)"
COUNTED = (LOOP, "for at, sample in enumerate(np.ravel(order)):")

#: By slug.
LOOPS: dict[str, Plant] = {
    "update-before-use": Plant(
        "w5, w6 and b3 are updated before the derivatives of the hidden units have used them",
        HIDDEN,
        loop=_too_early,
        shown=((GRADS, "late = gradient_lines(halfway, x[0], x[1], y, kept, slope)"),),
    ),
    "stale-parameters": _loop(
        "all derivatives of an epoch are taken at the parameters that it began with",
        NAMES,
        (LOOP, f"{COUNTED[1]}\n    old = params if at % order.shape[1] == 0 else old"),
        ("gradient(params, ", "gradient(old, "),
    ),
    "last-sample-skipped": _loop(
        "the loop ends one short: nothing is learned from the last person of an epoch",
        NAMES,
        COUNTED,
        (f"params = {UPDATE}", f"if (at + 1) % order.shape[1]:\n    params = {UPDATE}"),
    ),
    "wrong-sample": _loop(
        "the index stays 0: every update learns from Alice",
        NAMES,
        ("xs[sample], ys[sample]", "xs[0], ys[0]"),
    ),
    "bias-not-updated": _loop(
        "b3 is never updated", ("b3",), (UPDATE, f"{UPDATE}._replace(b3=params.b3)")
    ),
    "ascends": _loop(
        "the update goes uphill: w + η ∂L/∂w",
        NAMES,
        (UPDATE, "update(params, grads, -learning_rate)"),
    ),
}
