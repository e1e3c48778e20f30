"""Gradients of float32 that are computed in another format, by a kernel."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_backward, check_custom, check_gradient, check_steps
from handgrad.clock import limited
from handgrad.commands.check import check as command
from handgrad.data.computed_in import STATED, arithmetic, described
from handgrad.judging.case import OF_COMMAND, OF_GRADIENT
from handgrad.judging.short_formats import in_words, lower_precision


def kernel(values: Any, sums: Any = None, factor: float = 1.0) -> tuple[Any, Any, Any]:
    """A gradient that computes in another format; its loss, and its arguments in float32."""
    rng = np.random.default_rng(0)
    p = {"w": (rng.normal(size=(5, 7)) * 0.4).astype("f4"), "v": rng.normal(size=7).astype("f4")}
    x, y = rng.normal(size=(11, 5)).astype("f4"), rng.normal(size=11).astype("f4")

    def loss(p: Any, x: Any, y: Any) -> Any:
        return jnp.mean((jnp.tanh(x @ p["w"]) @ p["v"] - y) ** 2)

    def gradient(p: Any, x: Any, y: Any) -> Any:
        w, v, x, y = (jnp.asarray(a).astype(values) for a in (p["w"], p["v"], x, y))

        def product(a: Any, b: Any) -> Any:
            return jnp.matmul(a, b, preferred_element_type=sums or values).astype(values)

        h = jnp.tanh(product(x, w))
        r = (product(h, v) - y) * jnp.asarray(2 / 11, values)
        dz = r[:, None] * v[None, :] * (1 - h * h) * jnp.asarray(factor, values)
        return {"w": product(x.T, dz).astype("f4"), "v": product(h.T, r).astype("f4")}

    return gradient, loss, (p, x, y)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("computed_in", "values", "sums"),
    [("bfloat16", jnp.bfloat16, None), (("bfloat16", "float32"), jnp.bfloat16, jnp.float32)],
)
def test_a_kernel_is_judged_by_what_it_computes_in(
    computed_in: Any, values: Any, sums: Any
) -> None:
    gradient, loss, at = kernel(values, sums)
    report = check_gradient(gradient, loss, *at, points=1, computed_in=computed_in)
    assert report.verdict == "agree"
    assert f"computed_in={computed_in!r}" in report.reproduce
    assert {leaf.arithmetic for leaf in report.leaves} == {described(arithmetic(computed_in))}
    gradient, loss, at = kernel(values, sums, 1.1)
    assert (
        check_gradient(gradient, loss, *at, points=1, computed_in=computed_in).verdict == "disagree"
    )


@pytest.mark.slow
def test_a_lower_precision_that_explains_everything_is_named() -> None:
    gradient, loss, at = kernel(jnp.bfloat16, jnp.float32)
    report = check_gradient(gradient, loss, *at, points=1)
    assert report.verdict == "disagree"
    assert report.findings[-1].kind == "rounding"
    says = report.findings[-1].detail
    assert "would explain all of it; if the code does, say computed_in=" in says
    with limited(0):  # a hint is left out when the time is up
        trial = report.trial
        assert lower_precision(trial.outcomes, trial.deciding, trial.case) == []
    stated = eval(says.partition("computed_in=")[2])
    assert check_gradient(gradient, loss, *at, points=1, computed_in=stated).verdict == "agree"


@pytest.mark.slow
def test_none_is_named_where_it_would_not() -> None:
    gradient, loss, at = kernel(jnp.bfloat16, jnp.float32, 1.3)
    report = check_gradient(gradient, loss, *at, points=1)
    assert not [f for f in report.findings if "would explain" in f.detail]


@pytest.mark.slow
def test_the_other_checks_take_it() -> None:
    x = np.linspace(-1.5, 1.5, 9, dtype="f4")

    def forward(x: Any) -> Any:
        a = jnp.tanh(x)
        return a, a

    def backward(d: Any, a: Any) -> Any:
        a = jnp.asarray(a).astype(jnp.bfloat16)
        return (jnp.asarray(d).astype(jnp.bfloat16) * (1 - a * a)).astype("f4")

    @jax.custom_jvp
    def f(x: Any) -> Any:
        return jnp.tanh(x)

    @f.defjvp
    def _(x: Any, dx: Any) -> Any:
        a = jnp.tanh(x[0]).astype(jnp.bfloat16)
        return f(*x), (1 - a * a).astype("f4") * dx[0]

    steps = [("tanh", forward, backward)]
    # The formula is right in exact arithmetic, which excuses it, too.
    for computed_in, verdict in (("bfloat16", "agree"), (None, "imprecise")):
        options: Any = {"points": 0, "computed_in": computed_in}
        assert check_backward(forward, backward, x, **options).verdict == verdict
        assert check_custom(f, x, **options).verdict == verdict
        assert check_steps(steps, x, **options).steps[0].report.verdict == verdict


@pytest.mark.parametrize("given", ["bf16", ("bfloat16",), 3, ("bfloat16", None)])
def test_what_is_no_format_is_refused_in_one_line(given: Any) -> None:
    w = np.ones(2)
    line = f"computed_in: got {given!r}, expected a format or "
    for call in (
        lambda: check_gradient(lambda w: 2 * w, lambda w: (w * w).sum(), w, computed_in=given),
        lambda: check_steps([("s", lambda x: (x, x), lambda d, x: d)], w, computed_in=given),
    ):
        with pytest.raises(ValueError, match="computed_in") as caught:
            call()
        assert str(caught.value).startswith(line)
        assert all(name in str(caught.value) for name in STATED)


def test_the_command_takes_one_format_or_two() -> None:
    option = next(p for p in command.params if p.name == "computed_in")
    context: Any = None
    assert option.callback is not None
    assert option.callback(context, option, "bfloat16,float32") == ("bfloat16", "float32")
    assert option.callback(context, option, "tf32") == "tf32"
    with pytest.raises(Exception, match="got bf16, expected a format"):
        option.callback(context, option, "bf16")


def test_what_is_to_be_said_is_what_the_call_takes() -> None:
    for given, words in (("tf32", "tf32"), (("bfloat16", "float32"), "bfloat16,float32")):
        assert in_words(given, OF_COMMAND) == f"--computed-in {words}"
        assert in_words(given, OF_GRADIENT) == f"computed_in={given!r}"
