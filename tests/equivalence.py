"""Where two gradients disagree, by the ranges of right programs."""

from dataclasses import replace
from functools import cache, partial

import jax
import numpy as np

import autodiff.article
import autodiff.network
import compare.agreement
import manual.network
from compare.agreement import NAMES, Gradient, Verdict, stack
from compare.networks import flat
from compare.networks.ranges import CANCELLING, STABLE, flattened, gradient_ranges
from tests import network_strategies
from tests.strategies import Point, drawn_points


def by_autodiff(point: Point) -> np.ndarray:
    """Nine partial derivatives by `jax.grad` under `jit`, shape (9,) or (9, n)."""
    params = autodiff.article.Parameters(*point.params)
    if np.ndim(point.y):
        return stack(autodiff.article.steps(params, point.x, point.y, 0.1).grads)
    return stack(autodiff.article.gradient(params, point.x, point.y))


def verdict_on(gradient: Gradient, point: Point, form: str = "stable") -> Verdict:
    """Compare `gradient`, which computes σ' in that form, with autodiff."""
    with np.errstate(over="ignore", invalid="ignore"):
        by_hand = np.broadcast_arrays(*gradient(*point))
    return compare.agreement.verdict_on(by_hand, by_autodiff(point), *point, form)


class NetworkVerdicts:
    """Compare the gradient of one general network by hand with autodiff, compiled once."""

    def __init__(self, of: network_strategies.Described) -> None:
        self.network = of.network
        self.by_autodiff = jax.jit(jax.grad(partial(autodiff.network.loss, of.network)))

    def __call__(self, point: network_strategies.Point) -> Verdict:
        """The verdict on all parameters side by side, shape (p,), float64."""
        by_hand = manual.network.gradient(self.network, *point)
        with jax.enable_x64(True):
            layers = [autodiff.network.Layer(*layer) for layer in point.params]
            by_autodiff = jax.device_get(self.by_autodiff(layers, point.x, point.y))
        at = [(w[None], b[None]) for w, b in point.params]
        ranges = gradient_ranges(self.network, at, point.x[None], point.y[None])
        joined = (flattened(ranges[form])[0] for form in (STABLE, CANCELLING))
        return Verdict(flat.join(by_hand), flat.join(by_autodiff), *joined)


def says_much(verdict: Verdict) -> np.ndarray:
    """Where both answers are known to six digits, or to be 0 but for what underflows."""
    size = np.minimum(np.abs(verdict.by_hand), np.abs(verdict.autodiff))
    return verdict.bound <= 1e-6 * size + 1e-300


def disagreements(gradient: Gradient, form: str = "stable") -> dict[str, int]:
    """At how many of 512 ordinary points each parameter's derivative is caught, where it is.

    The gradient is called twice, on 256 points each, so that one that keeps something from its
    first call is caught as well.
    """
    off = 0
    for seed in (1, 2):
        with np.errstate(over="ignore", invalid="ignore"):
            by_hand = stack(np.broadcast_arrays(*gradient(*drawn_points(256, seed))))
        off = off + np.sum(~replace(_right(seed, form), by_hand=by_hand).agree, axis=1)
    return {name: int(count) for name, count in zip(NAMES, off, strict=True) if count}


@cache
def _right(seed: int, form: str) -> Verdict:
    """At the points of `disagreements`, for all gradients."""
    return verdict_on(compare.agreement.hand_gradient(form), drawn_points(256, seed), form)
