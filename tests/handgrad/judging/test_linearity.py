"""Backward passes that are not linear in their cotangents, and products with a vector likewise."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_backward, check_custom, check_hvp, check_scipy, check_steps
from handgrad.report import GradientReport
from tests.tiers import one_of_each, slowly

X = np.array([0.3, -0.8, 1.1, 0.6])
MATRIX = np.random.default_rng(0).standard_normal((3, 4))


def norm_clipped(d: Any) -> Any:
    return d * np.minimum(1.0, 5 / np.sqrt((d * d).sum()))


#: What becomes of a cotangent, and for which one that has to be seen.
WRONG: dict[str, tuple[Callable[[Any], Any], str]] = {
    "clip at 1": (lambda d: np.clip(d, -1, 1), "for -1.1e12 times"),
    "clip at 5": (lambda d: np.clip(d, -5, 5), "for -1.1e12 times"),
    "clip at 100": (lambda d: np.clip(d, -100, 100), "for -1.1e12 times"),
    "clip at 1e6": (lambda d: np.clip(d, -1e6, 1e6), "for -1.1e12 times"),
    "clip above": (lambda d: np.maximum(d, -10.0), "for -1.1e12 times"),
    "norm": (norm_clipped, "for -1.1e12 times"),
    "range of float16": (lambda d: np.clip(d, -65504, 65504), "for -1.1e12 times"),
    "power": (lambda d: d + 1e-20 * d * d, "for -1.1e12 times"),
    "large ones dropped": (lambda d: np.where(np.abs(d) > 1e9, 0, d), "for -1.1e12 times"),
    "1e-3 dropped": (lambda d: np.where(np.abs(d) < 1e-3, 0, d), "for 9.1e-13 times"),
    "1e-8 dropped": (lambda d: np.where(np.abs(d) < 1e-8, 0, d), "for 9.1e-13 times"),
    "constant": (lambda d: d + 1e-25, "for a cotangent of 0"),
    "0 replaced": (lambda d: np.where(d == 0, 1e-8, d), "for a cotangent of 0"),
    "most dropped": (
        lambda d: np.where(np.abs(d) < 1e-2 * np.abs(d).max(), 0, d),
        "where the largest element of the cotangent is 131072 times as large",
    ),
}

#: What is linear, up to rounding.
RIGHT: dict[str, Callable[[Any], Any]] = {
    "scaled inside": lambda d: d / np.abs(d).max() * np.abs(d).max(),
    "by its norm": lambda d: d / np.linalg.norm(d) * np.linalg.norm(d),
    "by its logarithm": lambda d: np.sign(d) * np.exp(np.log(np.abs(d))),
    "overflows": lambda d: d * 1e300 * 1e-300,
    "range kept": np.nan_to_num,
    "in float16": lambda d: d.astype(np.float16).astype(d.dtype),
    "raises": lambda d: d if np.abs(d).max() < 10 else [][1],
}


def forward(x: Any) -> Any:
    h = np.tanh(MATRIX @ x)
    return h, h


def backward(of_cotangent: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda d, h: MATRIX.T @ (of_cotangent(d) * (1 - h * h))


@pytest.mark.parametrize(
    "name", one_of_each(list(WRONG), ["clip at 5", "1e-8 dropped", "constant"])
)
def test_a_backward_pass_that_is_not_linear(name: str) -> None:
    of_cotangent, where = WRONG[name]
    report = check_backward(forward, backward(of_cotangent), X, points=0)
    assert_nonlinear(report, "backward is not linear in its cotangent")
    assert report.headline.startswith(f"disagree {where}")


def assert_nonlinear(report: GradientReport, says: str) -> None:
    assert says in report.headline, str(report)
    assert report.verdict == "disagree"
    assert [d.kind for d in report.diagnoses] == ["nonlinear"]
    assert "Kind: nonlinear." in str(report)


@pytest.mark.parametrize("name", one_of_each(list(RIGHT), ["scaled inside", "raises"]))
@np.errstate(all="ignore")
@pytest.mark.filterwarnings("ignore:overflow")
def test_one_that_is_linear(name: str) -> None:
    report = check_backward(forward, backward(RIGHT[name]), X, points=0)
    assert report.verdict == ("imprecise" if name == "in float16" else "agree"), str(report)


def test_it_takes_five_more_calls() -> None:
    asked: list[bytes] = []

    def counting(d: Any, h: Any) -> Any:
        asked.append(d.tobytes())
        return backward(lambda d: d)(d, h)

    assert check_backward(forward, counting, X).verdict == "agree"
    assert sorted(map(asked.count, set(asked)))[:-1] == [1] * 5


def test_a_loss_may_take_its_cotangent_for_1() -> None:
    def squares(x: Any) -> Any:
        return (x * x).sum(), x

    report = check_backward(squares, lambda _, x: 2 * x, X, cotangent=1.0)
    assert (report.verdict, report.warnings) == ("agree", ())
    clipped = check_backward(squares, lambda d, x: min(d, 1) * 2 * x, X, cotangent=1.0, points=0)
    assert_nonlinear(clipped, "backward is not linear in its cotangent")


def test_the_step_that_clips() -> None:
    right, wrong = backward(lambda d: d), backward(lambda d: np.clip(d, -100, 100))
    steps = [("one", forward, wrong), ("two", lambda h: (h * h, h), lambda d, h: 2 * d * h)]
    report = check_steps(steps, X, points=0).first_wrong
    assert report is not None
    assert report.name == "one"
    assert_nonlinear(report.report, "backward is not linear in its cotangent")
    assert check_steps([("one", forward, right), steps[1]], X, points=0)


@pytest.mark.parametrize("bound", [1.0, slowly(5.0), slowly(np.inf)])
def test_a_product_with_a_hessian(bound: float) -> None:
    def loss(x: Any) -> Any:
        return (x**4).sum()

    def hessp(x: Any, v: Any) -> Any:
        return 12 * x**2 * np.clip(v, -bound, bound)

    report = check_hvp(hessp, loss, X, points=0)
    scipy = check_scipy(loss, X, hessp=hessp, points=0)
    assert report.passes == scipy.passes == np.isinf(bound)
    if not report:
        assert_nonlinear(report, "hessp is not linear in its vector")


def test_a_complex_step_along_the_vector() -> None:
    """It is small enough along a large vector, too."""

    def hessp(x: Any, v: Any) -> Any:
        return np.imag(4 * (x + 1e-20j * v) ** 3) / 1e-20

    assert check_hvp(hessp, lambda x: (x**4).sum(), X, points=0).verdict == "agree"


def by_vjp(of_cotangent: Callable[[Any], Any]) -> Any:
    f = jax.custom_vjp(jnp.sin)
    f.defvjp(lambda x: (f(x), x), lambda x, d: (of_cotangent(d) * jnp.cos(x),))
    return f


#: Of a rule of JAX: in which formats it is tried, since in float16 no clip is at 1e6.
RULES = {
    ("clip at 5", "float32"): (lambda d: jnp.clip(d, -5, 5), False),
    ("clip at 5", "bfloat16"): (lambda d: jnp.clip(d, -5, 5), False),
    ("clip at 100", "float16"): (lambda d: jnp.clip(d, -100, 100), False),
    ("clip at 1e6", "bfloat16"): (lambda d: jnp.clip(d, -1e6, 1e6), False),
    ("1e-8 dropped", "float32"): (lambda d: jnp.where(jnp.abs(d) < 1e-8, 0, d), False),
    ("1e-3 dropped", "float16"): (lambda d: jnp.where(jnp.abs(d) < 1e-3, 0, d), False),
    ("sum of squares", "float16"): (lambda d: d / jnp.linalg.norm(d) * jnp.linalg.norm(d), True),
    ("sum of squares", "float32"): (lambda d: d / jnp.linalg.norm(d) * jnp.linalg.norm(d), True),
    ("overflows", "float32"): (lambda d: d * jnp.exp(80.0) * jnp.exp(-80.0), True),
    ("overflows", "bfloat16"): (lambda d: d * jnp.exp(80.0) * jnp.exp(-80.0), True),
    ("in float16", "float32"): (lambda d: d.astype(jnp.float16).astype(d.dtype), True),
}


@pytest.mark.parametrize("name", one_of_each(list(RULES), [("clip at 5", "float32")]))
def test_a_rule(name: tuple[str, str]) -> None:
    of_cotangent, right = RULES[name]
    report = check_custom(by_vjp(of_cotangent), jnp.asarray(X, name[1]), points=0)
    assert report.passes == right, str(report)
    if not right:
        assert_nonlinear(report, "the rule is not linear in its cotangent")


@pytest.mark.slow
@pytest.mark.parametrize("size", [4, 300])
def test_a_rule_in_forward_mode(size: int) -> None:
    """Along its axes, or, of so many elements, along random tangents."""
    f = jax.custom_jvp(jnp.sin)
    f.defjvp(lambda x, t: (f(*x), jnp.clip(t[0], -100, 100) * jnp.cos(*x)))
    report = check_custom(f, np.linspace(0.1, 1, size), points=0)
    assert report.verdict == "disagree"
    assert report.headline.endswith("; the rule is not linear in its tangents")


@pytest.mark.slow
def test_the_derivative_of_a_rule() -> None:
    def clipping(bound: float) -> Any:
        inner = jax.custom_vjp(lambda d, x: d * jnp.cos(x))

        def back(kept: Any, c: Any) -> Any:
            d, x = kept
            c = jnp.clip(c, -bound, bound)
            return c * jnp.cos(x), -c * d * jnp.sin(x)

        inner.defvjp(lambda d, x: (inner(d, x), (d, x)), back)
        f = jax.custom_vjp(jnp.sin)
        f.defvjp(lambda x: (f(x), x), lambda x, d: (inner(d, x),))
        return f

    assert check_custom(clipping(np.inf), X, points=0, order=2).verdict == "agree"
    report = check_custom(clipping(100.0), X, points=0, order=2)
    assert report.headline.startswith("disagree at second order, for -1.1e12 times the vector: ")
    assert_nonlinear(report, "the rule is not linear in its vector")
