"""Mistakes in the training loop, around a right gradient."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from compare.planted.plant import HIDDEN, NAMES, Derivative, Loop, Plant
from manual.article import Parameters, forward, gradient_lines
from manual.sgd import update

#: (params, x, y, gradient, learning_rate) -> the parameters after the update for one sample.
Step = Callable[[Parameters, Any, Any, Any, float], Parameters]


def each_by(step: Step) -> Loop:
    """Return the training loop with the given update."""

    def train(
        params: Parameters, xs: Any, ys: Any, gradient: Any, rate: float, order: Any
    ) -> Iterator[Parameters]:
        for sample in np.ravel(order):
            params = step(params, xs[sample], ys[sample], gradient, rate)
            yield params

    return train


def _too_early(slope: Derivative) -> Step:
    """Update the output's parameters first, so that the hidden derivatives use the new ones."""

    def step(params: Parameters, x: Any, y: Any, gradient: Any, rate: float) -> Parameters:
        output = update(params, gradient(params, x, y), rate)
        halfway = params._replace(w5=output.w5, w6=output.w6, b3=output.b3)
        # The values of the forward pass are kept, as in the code that had this mistake.
        kept = forward(params, x)
        late = gradient_lines(halfway, x[0], x[1], y, kept, slope)
        hidden = update(params, late, rate)
        return halfway._replace(**{name: getattr(hidden, name) for name in HIDDEN})

    return step


def whatever_slope(train: Loop) -> Callable[[Derivative], Loop]:
    """Wrap a loop that does not depend on the form of σ'."""
    return lambda _: train


def _stale(
    params: Parameters, xs: Any, ys: Any, gradient: Any, rate: float, order: Any
) -> Iterator[Parameters]:
    for epoch in order:
        old = params
        for sample in epoch:
            params = update(params, gradient(old, xs[sample], ys[sample]), rate)
            yield params


def _one_short(
    params: Parameters, xs: Any, ys: Any, gradient: Any, rate: float, order: Any
) -> Iterator[Parameters]:
    for epoch in order:
        for sample in epoch[:-1]:
            params = update(params, gradient(params, xs[sample], ys[sample]), rate)
            yield params
        yield params  # where the last update would have been


def _first_only(
    params: Parameters, xs: Any, ys: Any, gradient: Any, rate: float, order: Any
) -> Iterator[Parameters]:
    for _ in np.ravel(order):
        params = update(params, gradient(params, xs[0], ys[0]), rate)
        yield params


#: By slug.
LOOPS: dict[str, Plant] = {
    "update-before-use": Plant(
        "w5, w6 and b3 are updated before the derivatives of the hidden units have used them",
        HIDDEN,
        loop=lambda slope: each_by(_too_early(slope)),
    ),
    "stale-parameters": Plant(
        "all derivatives of an epoch are taken at the parameters that it began with",
        NAMES,
        loop=whatever_slope(_stale),
    ),
    "last-sample-skipped": Plant(
        "the loop ends one short: nothing is learned from the last person of an epoch",
        NAMES,
        loop=whatever_slope(_one_short),
    ),
    "wrong-sample": Plant(
        "the index stays 0: every update learns from Alice",
        NAMES,
        loop=whatever_slope(_first_only),
    ),
    "bias-not-updated": Plant(
        "b3 is never updated",
        ("b3",),
        loop=whatever_slope(
            each_by(lambda p, x, y, g, rate: update(p, g(p, x, y), rate)._replace(b3=p.b3))
        ),
    ),
    "ascends": Plant(
        "the update goes uphill: w + η ∂L/∂w",
        NAMES,
        loop=whatever_slope(each_by(lambda p, x, y, g, rate: update(p, g(p, x, y), -rate))),
    ),
}
