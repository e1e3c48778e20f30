"""Custom rules in forward mode, rules that JAX cannot transpose, and their second derivatives."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from handgrad import check_custom
from handgrad.judging.custom_cases import custom_function
from handgrad.judging.custom_modes import MOST_ELEMENTS, by_columns, chosen_modes
from handgrad.judging.second_order import SecondOrder
from handgrad.judging.trial import judge
from handgrad.program.rules import RULES
from tests.tiers import one_of_each

X = np.array([0.3, -0.8, 1.1])

Rule = Callable[[Any, Any], Any]


def by_jvp(rule: Rule, of: Callable[[Any], Any] = jnp.tanh) -> Any:
    """A function whose derivative along t is rule(x, t)."""
    f = jax.custom_jvp(lambda x: of(x))
    f.defjvp(lambda x, t: (f(*x), rule(x[0], t[0])))
    return f


def by_vjp(forward: Callable[[Any], Any], backward: Rule, of: Any = jnp.tanh) -> Any:
    f = jax.custom_vjp(lambda x: of(x))
    f.defvjp(lambda x: (f(x), forward(x)), lambda kept, d: (backward(kept, d),))
    return f


def slope(x: Any) -> Any:
    return 1 - jnp.tanh(x) ** 2


def looped(t: Any) -> Any:
    """Return t by a loop that JAX cannot differentiate backwards."""
    return lax.while_loop(lambda c: c[0] < 2, lambda c: (c[0] + 1, c[1] * 1.0), (0, t))[1]


def called_back(t: Any) -> Any:
    return jax.pure_callback(np.asarray, jax.ShapeDtypeStruct(t.shape, t.dtype), t)


#: What a rule makes of its tangent; whether it is right, and what JAX cannot transpose in it.
UNUSUAL: dict[str, tuple[Callable[[Any], Any], bool, str]] = {
    "absolute": (jnp.abs, False, "`abs` of its tangents at "),
    "square": (lambda t: t * t, False, "`mul` of its tangents at "),
    "sorted": (jnp.sort, False, "`sort` of its tangents at "),
    "clipped": (lambda t: jnp.clip(t, -1, 1), False, "`max` of its tangents at "),
    "one-sided": (lambda t: jnp.where(t > 0, t, 0.0), False, "`gt` of its tangents at "),
    "loop": (looped, True, "`while` of its tangents at "),
    "callback": (called_back, True, "`pure_callback` of its tangents at "),
    "NumPy": (np.asarray, True, "it needs the numbers of its tangents at "),
    # JAX transposes these, and drops or keeps what is not linear.
    "shifted": (lambda t: t + 1, False, ""),
    "branch": (lambda t: lax.cond(t.sum() > 0, lambda t: t, lambda t: t, t), True, ""),
}


@pytest.mark.parametrize("name", one_of_each(list(UNUSUAL), ["sorted"]))
def test_rules_that_are_not_linear_or_not_transposable(name: str) -> None:
    of_tangent, right, says = UNUSUAL[name]
    report = check_custom(by_jvp(lambda x, t: of_tangent(t) * slope(x)), X, points=0)
    assert report.verdict == ("agree" if right else "disagree"), str(report)
    warnings = [w for w in report.warnings if w.startswith("there is no reverse mode: ")]
    if says:
        assert says in warnings[0]
        assert "test_custom.py, line " in warnings[0]
    else:
        assert not warnings
    if not right:
        assert report.headline.startswith("disagree in forward mode")
    assert report.headline.endswith("; the rule is not linear in its tangents") is not right


def called_linearly(backwards: float) -> Any:
    """tanh with a rule that is right forwards; backwards it is so many times that."""

    def rule(x: Any, t: Any) -> Any:
        both = lambda s, t: s * t, lambda s, c: backwards * s * c
        return jax.custom_derivatives.linear_call(*both, slope(x), t)

    return by_jvp(rule)


def test_a_transpose_that_is_given_is_judged() -> None:
    """`linear_call` has its derivative backwards from the caller, as it has that forwards."""
    assert check_custom(called_linearly(1.0), X, points=0).verdict == "agree"
    report = check_custom(called_linearly(2.0), X, points=0)
    assert (report.verdict, report.certified) == ("disagree", True)


@pytest.mark.slow
def test_estimates_that_contradict_each_other_agree_with_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """JAX's gradient is by the wrong rule, and so the same as the one that is judged."""
    monkeypatch.delitem(RULES, "linear_call")
    report = check_custom(called_linearly(2.0), X, points=0)
    assert (report.verdict, report.certified) == ("undecidable", False)
    assert check_custom(called_linearly(1.0), X, points=0).verdict == "agree"


@pytest.mark.slow
def test_a_rule_that_is_wrong_where_tangents_meet() -> None:
    """Along every single element it is right."""

    def rule(x: Any, t: Any) -> Any:
        return t * slope(x) + jnp.roll(t, 1) * t

    report = check_custom(by_jvp(rule), X, points=0)
    said = "in forward mode along random tangents: tangents: 3 of 3 elements"
    assert f"disagree {said}" in report.headline
    assert "; the rule is not linear in its tangents" in report.headline
    assert [leaf.path for leaf in report.leaves] == ["tangents"]
    assert (report.counterexample, report.diagnoses) == (None, ())


@pytest.mark.slow
def test_a_wrong_rule_that_cannot_be_transposed_is_diagnosed() -> None:
    f = by_jvp(lambda x, t: looped(t) * (1 - jnp.tanh(x)))
    report = check_custom(f, X)
    assert [d.kind for d in report.diagnoses] == ["activation-derivative"]
    code = report.counterexample.as_code()
    assert 'modes=("fwd",)' in code


def test_columns_are_the_gradient() -> None:
    def f(params: Any) -> Any:
        return jnp.sum(jnp.sin(params[0])) * params[1]

    given = [np.linspace(0.1, 0.6, 6).reshape(2, 3), np.asarray(2.0)]
    with jax.enable_x64(True):
        exact = jax.grad(f)(given)
        for found in (by_columns(f)(given), by_columns(lambda p: f(_unbatched(p)))(given)):
            for a, b in zip(found, exact, strict=True):
                np.testing.assert_array_almost_equal_nulp(np.asarray(a), np.asarray(b), 4)


def _unbatched(params: Any) -> Any:
    """Let through what is no batch, as code in NumPy does."""
    if any("BatchTracer" in str(type(p)) for p in params):
        raise NotImplementedError
    return params


OTHER = by_vjp(lambda x: x, lambda x, d: d * slope(x))


@pytest.mark.parametrize(
    ("f", "modes", "says"),
    [
        (OTHER, ("fwd",), 'got "fwd", but <lambda> has a jax.custom_vjp, of which JAX has the rev'),
        (OTHER, "rev", 'got \'rev\', expected some of "fwd", "rev" in a tuple'),
        (OTHER, ("both",), "got 'both', expected some of "),
        (OTHER, (), r"got \(\), expected some of "),
        (
            by_jvp(lambda x, t: jnp.abs(t)),
            ("rev",),
            "JAX cannot transpose .*; expected modes=.*fwd",
        ),
    ],
)
def test_modes_that_are_none(f: Any, modes: Any, says: str) -> None:
    with pytest.raises(TypeError, match=f"^modes: .*{says}"):
        check_custom(f, X, modes=modes)


def test_modes_are_those_that_the_rule_defines() -> None:
    both = by_jvp(lambda x, t: t * slope(x))
    assert chosen_modes(custom_function(both, (X,)), None) == (("rev", "fwd"), None)
    assert chosen_modes(custom_function(both, (X,)), ("fwd",)) == (("fwd",), None)
    assert chosen_modes(custom_function(OTHER, (X,)), None) == (("rev",), None)
    with_it = custom_function(jnp.sin, (X,), jnp.sin)
    assert chosen_modes(with_it, None) == (("rev",), None)
    assert chosen_modes(with_it, ("fwd",)) == (("fwd",), None)
    with pytest.raises(ValueError, match="order: got 3, expected 1 or 2"):
        check_custom(both, X, order=3)


def softmax_backward(y: Any, d: Any) -> Any:
    return y * (d - (y * d).sum())


#: Rules that are right at first order, and the word that stands in the line that spoils the second.
TAKEN_FOR_CONSTANT: dict[str, tuple[Any, str]] = {
    "kept": (
        by_vjp(
            lambda x: lax.stop_gradient(jnp.tanh(x)),  # the kept one
            lambda y, d: d * (1 - y * y),
        ),
        "stop_gradient at test_custom.py, line N: `lambda x: lax.stop_gradient(jnp.tanh(x)),",
    ),
    "backward": (
        by_vjp(lambda x: x, lambda x, d: d * (1 - lax.stop_gradient(jnp.tanh(x)) ** 2)),
        "stop_gradient at test_custom.py, line N: `by_vjp(lambda x: x, lambda x, d: d * (1",
    ),
    "cotangent": (
        by_vjp(lambda x: x, lambda x, d: lax.stop_gradient(d) * slope(x)),
        "stop_gradient at test_custom.py, line N: `by_vjp(lambda x: x, lambda x, d: lax.stop",
    ),
    "softmax": (
        by_vjp(lambda x: lax.stop_gradient(jax.nn.softmax(x)), softmax_backward, jax.nn.softmax),
        "stop_gradient at test_custom.py, line N: `by_vjp(lambda x: lax.stop_gradient(jax.nn",
    ),
    "forward mode": (
        by_jvp(lambda x, t: t * (1 - lax.stop_gradient(jnp.tanh(x)) ** 2)),
        "stop_gradient at test_custom.py, line N: `by_jvp(lambda x, t: t * (1 - lax.stop",
    ),
    "not transposable": (
        by_jvp(lambda x, t: looped(t) * (1 - lax.stop_gradient(jnp.tanh(x)) ** 2)),
        "stop_gradient at test_custom.py, line N: `by_jvp(lambda x, t: looped(t) * (1 - lax.stop",
    ),
    "two": (
        by_vjp(
            lambda x: (lax.stop_gradient(x), x),
            lambda kept, d: d * (kept[0] + lax.stop_gradient(kept[1])),
            jnp.square,
        ),
        "` and test_custom.py, line N: `lambda kept, d: d * (kept[0] + lax.stop_gradient",
    ),
    "rounded": (
        by_vjp(lambda x: x, lambda x, d: 2 * d * jnp.round(x * 2**30) / 2**30, jnp.square),
        "the rule takes for constant what `round` gives at test_custom.py, line N: `by_vjp(",
    ),
}


@pytest.mark.parametrize("name", one_of_each(list(TAKEN_FOR_CONSTANT), ["backward"]))
def test_what_a_rule_takes_for_constant(name: str) -> None:
    f, says = TAKEN_FOR_CONSTANT[name]
    x = np.array([0.25, -0.5, 1.5])  # exact in the format of the rounded one
    assert check_custom(f, x, points=0).verdict == "agree"
    report = check_custom(f, x, points=0, order=2)
    assert report.headline.startswith("disagree at second order: x: "), str(report)
    (found,) = report.diagnoses
    said = " ".join(w if not w[:-1].isdigit() else "N:" for w in found.says.split())
    assert says in said.replace("tests/handgrad/", ""), found.says
    assert found.leaves == ("x",)


M = np.array([[2.0, 0.3, -0.5], [0.1, 1.5, 0.4], [0.7, -0.2, 1.1]])


def log_det(x: Any) -> Any:
    return jnp.linalg.slogdet(x)[1]


RIGHT: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "vjp": (OTHER, X, {}),
    "jvp": (by_jvp(lambda x, t: t * slope(x)), X, {}),
    "softmax": (by_vjp(jax.nn.softmax, softmax_backward, jax.nn.softmax), X, {}),
    "relu": (by_vjp(lambda x: x > 0, lambda on, d: jnp.where(on, d, 0.0), jax.nn.relu), X, {}),
    "a number": (by_jvp(lambda x, t: t * slope(x)), 0.4, {}),
    "log det": (by_vjp(jnp.linalg.inv, lambda inv, d: d * inv.T, log_det), M, {"points": 0}),
    "loop": (by_jvp(lambda x, t: looped(t) * slope(x)), X, {}),
    "float32": (OTHER, X.astype(np.float32), {}),
    "many": (OTHER, np.linspace(0.1, 2, MOST_ELEMENTS + 50), {}),
    "many by tangents": (by_jvp(lambda x, t: t * slope(x)), np.linspace(0.1, 2, 300), {}),
    "reference": (by_jvp(lambda x, t: t * slope(x), called_back), X, {"reference": lambda x: x}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in RIGHT if name != "reference"])
def test_right_rules_are_right_at_second_order(name: str) -> None:
    f, x, options = RIGHT[name]
    report = check_custom(f, x, order=2, **options)
    assert report.verdict == "agree", str(report)
    assert report.headline.endswith("at second order, too")
    assert "held to differences of slopes by power series" in report.certificate


@pytest.mark.slow
def test_kernels_in_forward_mode_and_at_second_order() -> None:
    def sine(x: Any) -> Any:
        return jax.pure_callback(np.sin, jax.ShapeDtypeStruct(x.shape, x.dtype), x)

    f = by_jvp(lambda x, t: t * jnp.cos(x), sine)
    report = check_custom(f, X, reference=jnp.sin, order=2)
    assert report.headline.endswith("; in forward mode and at second order, too")
    off = by_jvp(lambda x, t: t * lax.stop_gradient(jnp.cos(x)), sine)
    report = check_custom(off, X, reference=jnp.sin, order=2)
    assert report.headline.startswith("disagree at second order")
    with pytest.raises(
        TypeError, match=r"^order: .* has no second derivative, since .* reference: "
    ):
        check_custom(f, X, reference=np.sin, order=2)

    def cosine(x: Any) -> Any:
        return jax.pure_callback(np.cos, jax.ShapeDtypeStruct(x.shape, x.dtype), x)

    one_way = by_jvp(lambda x, t: t * cosine(x), sine)
    with pytest.raises(
        TypeError, match="cannot differentiate its rule: ValueError: Pure callbacks"
    ):
        check_custom(one_way, X, reference=jnp.sin, order=2)


@pytest.mark.slow
def test_the_truth_of_second_order_is_held_to_power_series() -> None:
    """Where the function itself takes something for constant, JAX's derivative of it is none."""
    f = by_vjp(lambda x: x, lambda x, d: d * x, lambda x: x * lax.stop_gradient(x))
    second = SecondOrder(custom_function(f, (X,)), "rev")
    made = judge(second.case(), second.function.given, 0, strict=False, reproduce="")
    assert second.is_held(made.trial) is False
    report = check_custom(f, X, points=0, order=2)
    assert report.headline.startswith("undecidable at second order: JAX's derivative of the")


def test_outputs_without_floats() -> None:
    @jax.custom_jvp
    def largest(x: Any) -> Any:
        return x * x, jnp.argmax(x), x > 0

    @largest.defjvp
    def _rule(x: Any, t: Any) -> Any:
        none = (np.zeros(shape, jax.dtypes.float0) for shape in ((), x[0].shape))
        return largest(*x), (2 * x[0] * t[0], *none)

    assert check_custom(largest, X, points=0).verdict == "agree"
    with pytest.raises(TypeError, match="f: got a result without floats"):
        check_custom(by_jvp(lambda x, t: t, lambda x: x > 0), X)


def scaled_squares(backward: Callable[..., Any], **options: Any) -> Any:
    """Return Σ z²·g with a rule."""
    f = jax.custom_vjp(lambda z, g: jnp.sum(z**2) * g, **options)
    f.defvjp(lambda z, g: (f(z, g), (z, g)), backward)
    return f


def by_z(kept: Any, d: Any) -> Any:
    return d * 2 * kept[0] * kept[1]


def by_both(kept: Any, d: Any) -> Any:
    return by_z(kept, d), d * jnp.sum(kept[0] ** 2)


NOT_FOR_G = scaled_squares(lambda kept, d: (by_z(kept, d), None))
FOR_BOTH = scaled_squares(by_both)
ZERO_FOR_G = scaled_squares(lambda kept, d: (by_z(kept, d), jnp.zeros_like(kept[1])))
TWICE_FOR_G = scaled_squares(lambda kept, d: (by_z(kept, d), 2 * by_both(kept, d)[1]))
FIXED = scaled_squares(lambda g, kept, d: (by_z(kept, d),), nondiff_argnums=(1,))
NOT_DIFFERENTIATED = "not differentiated, and so not judged: g; "

#: A rule, the dtype of z, and g; the verdict, what is judged, and the warning.
NUMBERS = {
    "none": (NOT_FOR_G, "float32", 2.0, "agree", "z", "the rule returns None"),
    "inside jit": (jax.jit(NOT_FOR_G), "float32", 2.0, "agree", "z", "the rule returns None"),
    "an array": (NOT_FOR_G, "float32", jnp.float32(2), "agree", "z", "the rule returns None"),
    "half": (NOT_FOR_G, "bfloat16", 2.0, "agree", "z", "the rule returns None"),
    "float64": (NOT_FOR_G, "float64", 2.0, "agree", "z", "the rule returns None"),
    "whole": (NOT_FOR_G, "float32", 2, "agree", "z", ""),
    "fixed": (FIXED, "float32", 2.0, "agree", "z", "nondiff_argnums names them"),
    "both": (FOR_BOTH, "float32", 2.0, "agree", "zg", ""),
    "both in half": (FOR_BOTH, "float16", 2.0, "agree", "zg", ""),
    "zero": (ZERO_FOR_G, "float32", 2.0, "disagree", "zg", ""),
    "twice": (TWICE_FOR_G, "float32", 2.0, "disagree", "zg", ""),
}


@pytest.mark.parametrize("name", one_of_each(list(NUMBERS), ["none", "an array", "both"]))
def test_numbers_and_what_is_not_differentiated(name: str) -> None:
    f, dtype, g, verdict, judged, why = NUMBERS[name]
    report = check_custom(f, jnp.asarray(X, dtype) if dtype != "float64" else X, g, points=0)
    assert report.verdict == verdict, str(report)
    assert [leaf.path for leaf in report.leaves] == list(judged)
    assert report.warnings[:1] == ((NOT_DIFFERENTIATED + why,) if why else ())


def test_points_with_numbers_and_numbers_in_trees() -> None:
    z = X.astype(np.float32)
    points = [(2 * z, 1.5), (z, 0.5)]
    for f in (FOR_BOTH, NOT_FOR_G):
        assert check_custom(f, z, 2.0, points=points, domain=(None, "positive")).points == 3
    of_tree = jax.custom_vjp(lambda p: jnp.sum(p["z"] ** 2) * p["g"][0])
    of_tree.defvjp(
        lambda p: (of_tree(p), p),
        lambda p, d: ({"z": d * 2 * p["z"] * p["g"][0], "g": [None, None]},),
    )
    report = check_custom(of_tree, {"z": z, "g": [2.0, 3]}, points=0)
    assert (report.verdict, [leaf.path for leaf in report.leaves]) == ("agree", ["p['z']"])
    assert "p['g'][0]" in report.warnings[0]
