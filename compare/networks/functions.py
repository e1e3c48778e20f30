"""Activations and losses on ranges: the links of the chain rule, a row for each.

Nothing is taken from either side, so that the judge shares no line with them. A right program may
compute a slope as the hand lines do, or as `jax.nn` and optax do (`cancelling`), where a difference
of nearly equal numbers loses digits that the range must allow for.

There are two methods. On NumPy a function is evaluated at both ends of a range, which keeps the
tails of σ and Φ sharp, small as they are. In a sweep it is evaluated once, `in_the_middle`, and the
radius grows by its largest slope; that range is the one of both forms.

A function such as exp or tanh is charged `FUNCTION` units of rounding, relative to its value: the
libraries promise or show up to 2.5 ulp = 5 u in float32 and 1.7 ulp in float64, a few operations
follow it, and the charge is made once for the witness and once here.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace as namespace
from scipy.special import expit, logsumexp, ndtr

from compare.rounding import Range, between, exactly, nearly, square, total, widened

#: Units of rounding charged for a function; see above.
FUNCTION = 16

#: The slope of the leaky ReLU below 0, which the judge knows by itself (Maas, Hannun & Ng, 2013).
LEAK = 0.01


class Activated(NamedTuple):
    """What becomes of a pre-activation."""

    a: Range
    slope: Range


class Activation(NamedTuple):
    """An activation f on ranges."""

    value: Callable[[Range], Range]  #: a = f(z)
    slope: Callable[[Range], Range]  #: f'(z)
    in_the_middle: Callable[[Range], Activated]  #: both, under `jit`
    cancelling: Callable[[Range], Range] | None = None  #: f'(z) in the other form, if it has one


class Loss(NamedTuple):
    """A loss on ranges of outputs, or logits, and targets."""

    value: Callable[[Range, Range], Range]  #: of an example, output by output
    residual: Callable[[Range, Range], Range]  #: n ∂L/∂a of an example
    in_the_middle: Callable[[Range, Range], Range]  #: the residual, under `jit`
    cancelling: Callable[[Range, Range], Range] | None = None  #: in the other form, if it has one
    link: Callable[[Range], Range] = lambda a: a  #: what is predicted


# Functions of both ends.


def _rising(function: Callable[[Any], Any]) -> Callable[[Range], Range]:
    """A function that rises, on ranges."""

    def on_range(z: Range) -> Range:
        with np.errstate(all="ignore"):
            return widened(between(function(z.lo), function(z.hi), z.floats), FUNCTION)

    return on_range


def _peaked(function: Callable[[Any], Any]) -> Callable[[Range], Range]:
    """An even function that falls on both sides of 0, on ranges."""

    def on_range(z: Range) -> Range:
        with np.errstate(all="ignore"):
            lo, hi = function(z.lo), function(z.hi)
            top = np.where((z.lo <= 0) & (z.hi >= 0), function(0.0), np.maximum(lo, hi))
            return widened(between(np.minimum(lo, hi), top, z.floats), FUNCTION)

    return on_range


def _absolute(x: Range, more: Any) -> Range:
    return Range(x.middle, x.radius + more, x.floats)


def _within(x: Range, low: float, high: float) -> Range:
    """What a witness computes stays within these, but for a few roundings."""
    return between(np.clip(x.lo, low, high), np.clip(x.hi, low, high), x.floats)


# Functions of the middle. What they know of a slope bounds how far they move.


def _tail(z: Range, e: Any) -> Any:
    """No less than e^-|t| for any t in z; e is e^-|z|.

    e^-|z| grows by e^radius at most, and e^t <= 1 + 2t as far as 1. Beyond that, what counts is the
    end that is nearer to 0: of a far one nothing is left, of a near one all may be.
    """
    xp = namespace(z.middle)
    tiny = xp.finfo(z.middle.dtype).tiny
    near = xp.where(abs(z.middle) - z.radius > -math.log(tiny), 2 * tiny, 1)
    return xp.where(z.radius <= 1, e * (1 + 2 * z.radius), near)


def _kinked(z: Range, below: float) -> Range:
    """1 above 0, and another slope below; either one where z may lie on either side."""
    xp = namespace(z.middle)
    one = xp.ones_like(z.middle)
    slope = xp.where(z.middle > 0, one, below * one)
    return Range(slope, xp.where(abs(z.middle) <= z.radius, (1 - below) * one, 0 * one), z.floats)


# Sigmoid

_sigmoid = _rising(expit)
_sigmoid_slope = _peaked(lambda z: expit(z) * expit(-z))


def _sigmoid_slope_cancelling(z: Range) -> Range:
    """σ(1 - σ), where 1 - σ is off by up to `FUNCTION` units of σ."""
    return _absolute(_sigmoid_slope(z), 2 * FUNCTION * z.floats.u * _sigmoid(z).hi)


def sigmoid_in_the_middle(z: Range) -> Activated:
    """σ, and σ' = σ(z)σ(-z); as σ(1 - σ), 1 - σ is off by `FUNCTION` units of σ.

    σ' is at most e^-|z| and 1/4, and σ'' no larger in size.
    """
    xp = namespace(z.middle)
    rounding = FUNCTION * z.floats.u
    e = xp.exp(-abs(z.middle))
    large = 1 / (1 + e)
    a = xp.where(z.middle >= 0, large, e * large)
    steepest = xp.minimum(_tail(z, e), 0.25)
    moved = steepest * xp.minimum(z.radius, 4)
    of_slope = moved + rounding * (steepest + a * a)
    return Activated(
        Range(a, xp.minimum(moved + rounding * a, 1), z.floats),
        Range(e * large * large, xp.minimum(of_slope, 0.26), z.floats),
    )


# Tanh


def _tanh_slope(z: Range) -> Range:
    """4 σ'(2z)."""
    return 4 * _sigmoid_slope(2 * z)


def _tanh_slope_cancelling(z: Range) -> Range:
    """1 - tanh², off by up to twice `FUNCTION` units of tanh² and its own rounding."""
    return _absolute(_tanh_slope(z), (2 * FUNCTION + 4) * z.floats.u)


def _tanh_in_the_middle(z: Range) -> Activated:
    """tanh z, and its slope, at most 4 e^-2|z| and 1; 1 - tanh² is off by some units of tanh."""
    xp = namespace(z.middle)
    rounding = FUNCTION * z.floats.u
    a = xp.tanh(z.middle)
    e = xp.exp(-2 * abs(z.middle))
    slope = 4 * e / ((1 + e) * (1 + e))
    steepest = xp.minimum(4 * _tail(2 * z, e), 1)
    moved = steepest * xp.minimum(z.radius, 2)
    lost = (2 * FUNCTION + 8) * z.floats.u * abs(a)
    of_slope = 2 * moved + rounding * steepest + lost
    return Activated(
        Range(a, xp.minimum(moved + rounding * abs(a), 2), z.floats),
        Range(slope, xp.minimum(of_slope, 1.1), z.floats),
    )


# ReLU


def _relu_slope(z: Range) -> Range:
    return between((z.lo > 0) * 1.0, (z.hi > 0) * 1.0, z.floats)


def relu_in_the_middle(z: Range) -> Activated:
    """max(z, 0)."""
    a = namespace(z.middle).maximum(z.middle, 0)
    return Activated(Range(a, z.radius, z.floats), _kinked(z, 0.0))


# Leaky ReLU


def _leaky_relu_slope(z: Range) -> Range:
    leak = nearly(LEAK, z.floats)
    ends = (np.where(z.lo >= 0, 1.0, leak.lo), np.where(z.hi >= 0, 1.0, leak.hi))
    return between(*ends, z.floats)


def leaky_relu_in_the_middle(z: Range) -> Activated:
    """max(z, LEAK z)."""
    a, slope = namespace(z.middle).maximum(z.middle, LEAK * z.middle), _kinked(z, LEAK)
    u = z.floats.u
    return Activated(
        Range(a, z.radius + 4 * u * abs(a), z.floats),
        Range(slope.middle, slope.radius + 4 * u * LEAK, z.floats),
    )


# GELU


def _phi(z: Range) -> Range:
    """Φ; below 0 it is as steep as e^(-z²/2): rounding z²/2, or z/√2, moves it by some u z²."""
    tail = 4 * np.clip(z.lo, -100, 0) ** 2  # at -100 it is 0 in every format
    return _within(widened(_rising(ndtr)(z), tail), 0, 1 + FUNCTION * z.floats.u)


def _density(z: Range) -> Range:
    """φ, the slope of Φ, with the same rounding of its exponent; at most 1/√(2π) < 0.4."""
    peak = _peaked(lambda z: np.exp(-z * z / 2) / np.sqrt(2 * np.pi))
    return _within(widened(peak(z), 4 * np.minimum(z.magnitude, 100) ** 2), 0, 0.4)


def _gelu_in_the_middle(z: Range) -> Activated:
    """z Φ(z), whose slope is within ±1.13 and changes by at most 0.8 for a step of 1.

    Rounding z²/2, or z/√2, moves the tail of Φ, and φ, by some u z².
    """
    from jax.scipy.special import ndtr

    xp, m = namespace(z.middle), z.middle
    rounding = (FUNCTION + 4 * xp.minimum(m * m, 1e4)) * z.floats.u
    phi, density = ndtr(m), xp.exp(-m * m / 2) * 0.3989422804014327
    a = m * phi
    sizes = phi + abs(m) * density
    return Activated(
        Range(a, 1.13 * z.radius + rounding * abs(a), z.floats),
        Range(phi + m * density, 0.8 * z.radius + 2 * rounding * sizes, z.floats),
    )


# Softplus

_softplus = _rising(lambda z: np.logaddexp(0, z))


def _softplus_slope_cancelling(z: Range) -> Range:
    """e^(z - softplus(z)), whose exponent is rounded."""
    return widened(_sigmoid(z), 40 * (1 + z.magnitude))


def _softplus_in_the_middle(z: Range) -> Activated:
    """log(1 + e^z), and σ; as e^(z - softplus z) the exponent's rounding comes on top."""
    xp, u = namespace(z.middle), z.floats.u
    units = xp.minimum(40 * (1 + abs(z.middle)), 0.01 / u)
    e, rise = xp.exp(-abs(z.middle)), sigmoid_in_the_middle(z).a
    a = xp.maximum(z.middle, 0) + xp.log1p(e)
    # The slope σ is e^z below 0, and its largest where z is.
    steepest = xp.where(z.middle < 0, xp.minimum(_tail(z, e), 1), 1)
    of_slope = rise.radius + units * u * rise.magnitude
    return Activated(
        Range(a, steepest * z.radius + FUNCTION * u * a, z.floats),
        Range(rise.middle, xp.minimum(of_slope, 1), z.floats),
    )


ACTIVATIONS = {
    "sigmoid": Activation(
        _sigmoid, _sigmoid_slope, sigmoid_in_the_middle, _sigmoid_slope_cancelling
    ),
    "tanh": Activation(_rising(np.tanh), _tanh_slope, _tanh_in_the_middle, _tanh_slope_cancelling),
    "relu": Activation(_rising(lambda z: np.maximum(z, 0)), _relu_slope, relu_in_the_middle),
    "leaky-relu": Activation(
        _rising(lambda z: np.maximum(z, LEAK * z)), _leaky_relu_slope, leaky_relu_in_the_middle
    ),
    "gelu": Activation(
        lambda z: z * _phi(z), lambda z: _phi(z) + z * _density(z), _gelu_in_the_middle
    ),
    "softplus": Activation(
        _softplus, _sigmoid, _softplus_in_the_middle, _softplus_slope_cancelling
    ),
    "identity": Activation(
        lambda z: z,
        lambda z: exactly(np.ones(z.middle.shape), z.floats),
        lambda z: Activated(z, Range(namespace(z.middle).ones_like(z.middle), None, z.floats)),
    ),
}


# Mean squared error


def _mse(a: Range, y: Range) -> Range:
    return 2 * (a - y)


# Huber


def _huber_value(a: Range, y: Range) -> Range:
    """h of |r|, which rises with it."""
    r = a - y
    least = np.where((r.lo <= 0) & (r.hi >= 0), 0, np.minimum(np.abs(r.lo), np.abs(r.hi)))
    lo, hi = (np.where(d <= 1, d * d / 2, d - 0.5) for d in (least, r.magnitude))
    return widened(between(lo, hi, r.floats), FUNCTION)


def _huber(a: Range, y: Range) -> Range:
    """The residual, cut off at ±1."""
    return _within(a - y, -1, 1)


def _huber_cancelling(a: Range, y: Range) -> Range:
    """optax adds up ±(|r| - 1) and ±1, off by some units of 1."""
    return _absolute(_huber(a, y), 8 * a.floats.u)


def _huber_in_the_middle(a: Range, y: Range) -> Range:
    r, xp = a - y, namespace(a.middle)
    radius = xp.minimum(r.radius, 2) + 8 * r.floats.u
    return Range(xp.clip(r.middle, -1, 1), radius, r.floats)


# Binary cross-entropy, on logits


def _bce_value(z: Range, y: Range) -> Range:
    """y softplus(-z) + (1 - y) softplus(z)."""
    return y * _softplus(-z) + (1 - y) * _softplus(z)


def _bce_with(slope: Callable[[Range], Range]) -> Callable[[Range, Range], Range]:
    """(1 - y) σ(z) - y σ(-z); optax gets both σ as derivatives of softplus."""
    return lambda z, y: (1 - y) * slope(z) - y * slope(-z)


def _bce_in_the_middle(z: Range, y: Range) -> Range:
    """The same, y between 0 and 1: the products and the difference cost four units in all."""
    one, zero = _softplus_in_the_middle(z).slope, _softplus_in_the_middle(-z).slope
    target = y.middle
    parts = (1 - target) * one.middle, target * zero.middle
    radius = (1 - target) * one.radius + target * zero.radius
    radius = radius + 4 * z.floats.u * (parts[0] + parts[1])
    return Range(parts[0] - parts[1], radius, z.floats)


# Cross-entropy of classes, on logits


def _softmax_ce_value(z: Range, y: Range) -> Range:
    """y_j (log Σ e^z - z_j); the difference rounds as its terms and the classes' sum do."""
    lo, hi = (logsumexp(end, axis=-1, keepdims=True) for end in (z.lo, z.hi))
    reach = FUNCTION + z.middle.shape[-1] + 4 * z.magnitude.max(axis=-1, keepdims=True)
    more = 2 * z.floats.u * reach
    return y * between(np.maximum(lo - z.hi - more, 0), hi - z.lo + more, z.floats)


def _softmax_ce(z: Range, y: Range) -> Range:
    """p_j Σ_{k≠j} y_k - y_j Σ_{k≠j} p_k: p_j Σ y - y_j without the term that cancels."""
    p, rest = _probabilities(z)
    others = exactly(1 - np.eye(z.middle.shape[-1]), z.floats)
    return p * (y @ others) - y * rest


def _softmax_ce_cancelling(z: Range, y: Range) -> Range:
    return _probabilities(z)[0] * total(y)[..., None] - y


def _probabilities(z: Range) -> tuple[Range, Range]:
    """Softmax, and one less it: p_j is largest where z_j is and all other z_k are smallest."""
    classes = z.middle.shape[-1]
    others = 1 - np.eye(classes)
    top = z.hi.max(axis=-1, keepdims=True)
    lo, hi = np.exp(z.lo - top), np.exp(z.hi - top)
    least, most = lo @ others, hi @ others
    p = between(_part(lo, most, 0), _part(hi, least, 1), z.floats)
    rest = between(_part(least, hi, 0), _part(most, lo, 1), z.floats)
    # Exponents are differences that are rounded, and sums have as many terms as there are classes.
    spread = (z.hi.max(axis=-1, keepdims=True) - z.lo.min(axis=-1, keepdims=True)) + np.abs(top)
    units = 2 * FUNCTION + 2 * classes + 4 * spread
    most = 1 + FUNCTION * z.floats.u
    return _within(widened(p, units), 0, most), _within(widened(rest, units), 0, most)


def _part(some: Any, others: Any, unknown: float) -> Any:
    """some / (some + others); where both have become 0, nothing is known."""
    whole = some + others
    return np.where(whole > 0, some / np.where(whole > 0, whole, 1), unknown)


def _softmax_ce_in_the_middle(z: Range, y: Range) -> Range:
    """p_j Σ y - y_j, or the same without the term that cancels.

    Exponents are gaps to the largest z, within the radii of both, and rounded.
    """
    xp, (u, tiny), target = namespace(z.middle), z.floats, y.middle
    classes = z.middle.shape[-1]
    gap = z.middle.max(axis=-1, keepdims=True) - z.middle
    e = xp.exp(-gap)
    p = e / e.sum(axis=-1, keepdims=True)
    moved = 2 * z.radius.max(axis=-1, keepdims=True) + 4 * u * gap
    # p_j moves by e^moved at most, for gaps that are moved all at once; it is at most e^-gap.
    relative = 2 * moved * (1 + moved) + 2 * (FUNCTION + classes) * u
    near = xp.exp(-xp.maximum(gap - moved, 0))
    of_p = xp.minimum(xp.where(moved <= 0.5, p * relative, near) + tiny, 1)
    whole = target.sum(axis=-1, keepdims=True)
    spread = whole * of_p + target * of_p.sum(axis=-1, keepdims=True)
    radius = spread + (2 * classes + 8) * u * (p * whole + target)
    return Range(p * whole - target, radius, z.floats)


LOSSES = {
    "mse": Loss(lambda a, y: square(a - y), _mse, _mse),
    "huber": Loss(_huber_value, _huber, _huber_in_the_middle, _huber_cancelling),
    "bce": Loss(
        _bce_value,
        _bce_with(_sigmoid),
        _bce_in_the_middle,
        _bce_with(_softplus_slope_cancelling),
        _sigmoid,
    ),
    "softmax-ce": Loss(
        _softmax_ce_value,
        _softmax_ce,
        _softmax_ce_in_the_middle,
        _softmax_ce_cancelling,
        lambda z: _probabilities(z)[0],
    ),
}
