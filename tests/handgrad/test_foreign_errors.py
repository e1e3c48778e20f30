"""Errors whose own text does not help: one line says what, where, and what was expected."""

import itertools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_backward, check_custom, check_gradient, exact_gradient
from tests.handgrad.only_called import OnlyCalled

W = np.array([0.3, -0.7, 1.2])
HERE = "tests/handgrad/test_foreign_errors.py, line "


def right(w: Any, *_: Any) -> Any:
    return 2 * w


def loss(w: Any, *_: Any) -> Any:
    return jnp.sum(w**2)


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


def in_the_third_call() -> Callable[[Any], Any]:
    calls = itertools.count(1)
    return lambda w: next(iter([])) if next(calls) == 3 else 2 * w


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


RAISED: dict[str, tuple[Callable[[], Any], str]] = {
    "StopIteration": (lambda: check_gradient(right, lambda w: next(iter([])), W), "loss: {here}"),
    "StopIteration of a gradient": (
        lambda: check_gradient(in_the_third_call(), loss, W),
        "gradient: {here}",
    ),
    "StopIteration of a backward pass": (
        lambda: check_backward(lambda x: (x, x), lambda d, c: next(iter([])), W),
        "backward: {here}",
    ),
    "another path for tracers": (
        lambda: check_gradient(right, one_point_or_rows, W, referee="series"),
        "loss: {here}this runs in floats, but JAX, which traces it, raised IndexError: ",
    ),
    "no defvjp": (
        lambda: check_gradient(right, lambda w: jnp.sum(VJP_WITHOUT_A_RULE(w)), W),
        "loss: {here}a jax.custom_vjp without its rule; call its defvjp(forward, backward) first",
    ),
    "no defjvp": (
        lambda: check_gradient(right, lambda w: jnp.sum(JVP_WITHOUT_A_RULE(w)), W),
        "loss: {here}a jax.custom_jvp without its rule; call its defjvp(rule) first",
    ),
    "f without defvjp": (
        lambda: check_custom(VJP_WITHOUT_A_RULE, W),
        "f: a jax.custom_vjp without its rule; call its defvjp(forward, backward) first",
    ),
    "no tuple": (
        lambda: check_custom(with_rule(lambda x: (jnp.sin(x), x), lambda x, d: d), W),
        "f: the backward rule of a jax.custom_vjp must return a tuple with one cotangent for each "
        "argument, shaped like it",
    ),
    "another shape": (
        lambda: check_custom(with_rule(lambda x: (jnp.sin(x), x), lambda x, d: (d[:1],)), W),
        "f: the backward rule of a jax.custom_vjp must return a tuple with one cotangent for each "
        "argument, shaped like it",
    ),
    "no residuals": (
        lambda: check_custom(with_rule(lambda x: jnp.sin(x), lambda x, d: (d,)), W),
        "f: the forward rule of a jax.custom_vjp must return (output, residuals)",
    ),
    "no tangent": (
        lambda: check_custom(with_jvp(lambda p, t: jnp.cos(p[0]) * t[0]), W),
        "f: the rule of a jax.custom_jvp must return (output, tangent)",
    ),
    "another tangent": (
        lambda: check_custom(with_jvp(lambda p, t: (jnp.sin(p[0]), t[0][0])), W),
        "f: the rule of a jax.custom_jvp must return a tangent shaped and typed like the output",
    ),
    "a rule in NumPy": (
        lambda: check_custom(
            with_rule(lambda x: (jnp.sin(x), x), lambda x, d: (np.asarray(d),)), W
        ),
        "f: {here}",
    ),
    "text in the closure": (
        lambda: check_gradient(right, lambda w: jnp.sum(w * np.array(["a", "b", "c"])), W),
        "loss: {here}JAX has no type for a value that it gets here",
    ),
    "a longdouble loss": (
        lambda: check_gradient(right, lambda w: np.longdouble(1), W),
        "loss: JAX has no type for a value that it gets here",
    ),
    "longdouble parameters": (
        lambda: exact_gradient(loss, W.astype(np.longdouble)),
        f"w is {np.dtype(np.longdouble).name}: not judged; float64, float32, bfloat16, float16 and "
        "float8 are",
    ),
    "what JAX left behind": (
        lambda: check_gradient(NET.gradient, NET.loss, W),
        "gradient: {here}this uses a value that an earlier call under JAX left behind; expected "
        "a function of its arguments alone",
    ),
    "keys of several kinds": (
        lambda: check_gradient(right, loss, {1: W, "a": W}),
        "w: got a dict whose keys cannot be sorted, expected keys of one kind",
    ),
    "such keys among the inputs": (
        lambda: check_gradient(right, loss, W, {1: W, "a": W}),
        "inputs[0]: got a dict whose keys cannot be sorted, expected keys of one kind",
    ),
    "within jit": (
        lambda: jax.jit(lambda w: check_gradient(right, loss, w))(W),
        "w: got an array that JAX is tracing, expected numbers",
    ),
}


@pytest.mark.parametrize("name", RAISED)
def test_one_line_says_what_and_where(name: str) -> None:
    call, message = RAISED[name]
    with pytest.raises(TypeError) as error:
        call()
    start, here, rest = message.partition("{here}")
    text = str(error.value)
    assert text.startswith(start)
    assert (HERE in text) == bool(here)
    assert rest in text
    assert "\n" not in text


def test_data_in_another_byte_order_are_data() -> None:
    swapped = W.astype(">f8")
    x, k = np.arange(3.0).astype(">f8"), np.arange(3).astype(">i4")

    def weighed(w: Any, x: Any, k: Any) -> Any:
        return jnp.sum(w * x * jnp.asarray(k, w.dtype))

    def gradient(_: Any, x: Any, k: Any) -> Any:
        return (x * k).astype(">f8")

    assert check_gradient(gradient, weighed, swapped, x, k, points=0).verdict == "agree"
    wrong = check_gradient(lambda *args: -gradient(*args), weighed, swapped, x, k, points=0)
    assert wrong.verdict == "disagree"


def test_longer_floats_among_the_inputs_are_not_judged() -> None:
    """Where they are longer: on x86."""
    long = W.astype(np.longdouble)
    if long.dtype.itemsize > 8:
        report = check_gradient(right, loss, W, {"x": long})
        name = long.dtype.name
        assert report.headline.endswith(
            f"inputs[0]['x'] is {name}: not judged; float64, float32, bfloat16, float16 and float8 "
            "are"
        )
