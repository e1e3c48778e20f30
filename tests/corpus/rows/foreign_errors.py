"""Errors whose own text does not help: one line says what, where, and what was expected."""

import itertools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from handgrad import check_backward, check_custom, check_gradient
from tests.corpus.case import RAISED, Anew, Case, Row, cases
from tests.corpus.only_called import OnlyCalled

W = np.array([0.3, -0.7, 1.2])
HERE = "tests/corpus/rows/foreign_errors.py, line "
NO_TYPE = "JAX has no type for a value that it gets here"
NOT_JUDGED = f"is {np.dtype(np.longdouble).name}: not judged; float64, float32, bfloat16, float16 "


def right(w: Any, *_: Any) -> Any:
    return 2 * w


def loss(w: Any, *_: Any) -> Any:
    return jnp.sum(w**2)


def ended(*_: Any) -> Any:
    return next(iter([]))


def in_the_third_call() -> Callable[[Any], Any]:
    calls = itertools.count(1)
    return lambda w: ended() if next(calls) == 3 else 2 * w


class Net:
    """Leaves an activation behind, which JAX traced."""

    def loss(self, w: Any) -> Any:
        self.h = jnp.sin(w)
        return jnp.sum(self.h)

    def gradient(self, w: Any) -> Any:
        return jnp.cos(w) * (self.h / self.h) if hasattr(self, "h") else np.cos(w)


NET = Net()


@OnlyCalled
def one_point_or_rows(w: Any) -> Any:
    rows = [w] if isinstance(w[0], float) else w
    return sum(rows[0][1:] ** 2)


VJP_WITHOUT_A_RULE = jax.custom_vjp(lambda x: jnp.sin(x))
JVP_WITHOUT_A_RULE = jax.custom_jvp(lambda x: jnp.sin(x))


def with_rule(forward: Any, backward: Any) -> Any:
    f = jax.custom_vjp(lambda x: jnp.sin(x))
    f.defvjp(forward, backward)
    return f


def with_jvp(rule: Any) -> Any:
    f = jax.custom_jvp(lambda x: jnp.sin(x))
    f.defjvp(rule)
    return f


def kept(x: Any) -> Any:
    return jnp.sin(x), x


#: Losses that raise, and what is said of them.
LOSSES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "StopIteration": (ended, f"loss: {HERE}"),
    "no defvjp": (
        lambda w: jnp.sum(VJP_WITHOUT_A_RULE(w)),
        "a jax.custom_vjp without its rule",
    ),
    "no defjvp": (
        lambda w: jnp.sum(JVP_WITHOUT_A_RULE(w)),
        "a jax.custom_jvp without its rule",
    ),
    "text in the closure": (lambda w: jnp.sum(w * np.array(["a", "b", "c"])), NO_TYPE),
    "a long double": (lambda _: np.longdouble(1), f"loss: {NO_TYPE}"),
}

A_TUPLE = "the backward rule of a jax.custom_vjp must return a tuple with one cotangent for each"

#: Rules that are none, and what is said of them.
RULES: dict[str, tuple[Any, str]] = {
    "no defvjp": (VJP_WITHOUT_A_RULE, "f: a jax.custom_vjp without its rule; call its defvjp("),
    "no tuple": (with_rule(kept, lambda x, d: d), A_TUPLE),
    "another shape": (with_rule(kept, lambda x, d: (d[:1],)), A_TUPLE),
    "no residuals": (
        with_rule(lambda x: jnp.sin(x), lambda x, d: (d,)),
        "the forward rule of a jax.custom_vjp must return (output, residuals)",
    ),
    "no tangent": (
        with_jvp(lambda p, t: jnp.cos(p[0]) * t[0]),
        "the rule of a jax.custom_jvp must return (output, tangent)",
    ),
    "another tangent": (
        with_jvp(lambda p, t: (jnp.sin(p[0]), t[0][0])),
        "must return a tangent shaped and typed like the output",
    ),
    "a rule in NumPy": (with_rule(kept, lambda x, d: (np.asarray(d),)), f"f: {HERE}"),
}

#: Arguments that are none, and what is said of them.
ARGUMENTS: dict[str, tuple[tuple[Any, ...], str]] = {
    "keys of several kinds": (({1: W, "a": W},), "w: got a dict whose keys cannot be sorted"),
    "keys among the inputs": ((W, {1: W, "a": W}), "inputs[0]: got a dict whose keys cannot be"),
}


def raised() -> list[Case]:
    found: list[Case] = []
    for said, (wrong, says) in LOSSES.items():
        found += cases("a loss", check_gradient, wrong, W)(
            Row(said, right, "loss: ", says, verdict=RAISED)
        )
    for said, (rule, says) in RULES.items():
        found += cases("a rule", check_custom, None, W)(
            Row(said, rule, "f: ", says, verdict=RAISED)
        )
    for said, (at, says) in ARGUMENTS.items():
        found += cases("arguments", check_gradient, loss, *at)(
            Row(said, right, says, "expected keys of one kind", verdict=RAISED)
        )
    return found


SWAPPED = W.astype(">f8"), np.arange(3.0).astype(">f8"), np.arange(3).astype(">i4")


def weighed(w: Any, x: Any, k: Any) -> Any:
    return jnp.sum(w * x * jnp.asarray(k, w.dtype))


LONG = np.dtype(np.longdouble).itemsize > 8  # on x86

CASES = [
    *raised(),
    *cases("a gradient", check_gradient, loss, W)(
        Row("StopIteration", Anew(in_the_third_call), f"gradient: {HERE}", verdict=RAISED),
    ),
    *cases("a backward pass", check_backward, lambda x: (x, x), W)(
        Row("StopIteration", ended, f"backward: {HERE}", verdict=RAISED),
    ),
    *cases("another path for tracers", check_gradient, one_point_or_rows, W, referee="series")(
        Row(
            "asked for series",
            right,
            f"loss: {HERE}",
            "this runs in floats, but JAX, which traces it, raised IndexError: ",
            verdict=RAISED,
        ),
    ),
    *cases("what JAX left behind", check_gradient, NET.loss, W)(
        Row(
            "right, by an activation that the loss keeps",
            NET.gradient,
            f"gradient: {HERE}",
            "this uses a value that an earlier call under JAX left behind",
            verdict=RAISED,
        ),
    ),
    *cases("another byte order", check_gradient, weighed, *SWAPPED, points=0)(
        Row("right", lambda _, x, k: (x * k).astype(">f8")),
        Row("the other sign", lambda _, x, k: -(x * k).astype(">f8")),
    ),
    *cases("longer floats", check_gradient, loss, W, {"x": W.astype(np.longdouble)}, points=0)(
        Row(
            "among the inputs",
            right,
            f"inputs[0]['x'] {NOT_JUDGED}" if LONG else "",
            verdict="undecidable" if LONG else "agree",
        ),
    ),
]
