"""Gradients in bfloat16, float16 and float8."""

import json
import re
from typing import Any

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest

from handgrad import check_gradient
from tests.handgrad import short_functions as functions

F16_SMALL, F16_LARGE = np.float16(1e-4), np.float16(300)

BF16, F16, E4M3, E5M2 = "bfloat16", "float16", "float8_e4m3fn", "float8_e5m2"
NAMES = [name for name, *_ in functions.cases(np.float32, 0)]


def judged(yours: Any, name: str, dtype: str, inside: Any = jnp.float32, **options: Any) -> Any:
    """Judge what `yours` makes of the function's gradient in float32, rounded at the end."""
    f, p, given = functions.one(name, dtype)
    in_float32 = functions.in_dtype(f, jnp.float32)

    def gradient(p: Any, *given: Any) -> Any:
        right = in_float32(
            jax.tree.map(lambda a: jnp.asarray(a).astype(jnp.float32), p),
            *(jnp.asarray(a).astype(jnp.float32) for a in given),
        )
        return jax.tree.map(lambda g, a: g.astype(a.dtype), yours(right), p)

    options = {"points": 1} | options
    return check_gradient(gradient, lambda p, *a: f(p, *a, inside), p, *given, **options)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [BF16, F16, E4M3, E5M2])
@pytest.mark.parametrize("name", NAMES)
def test_right_gradients_agree_however_they_round(name: str, dtype: str) -> None:
    f, p, given = functions.one(name, dtype)
    # The softmax of JAX starts from -inf, which float8_e4m3fn has not.
    for inside in (jnp.float32,) if dtype == E4M3 else (None, jnp.float32):
        for way, gradient in functions.ways(f, inside).items():
            if dtype in (E4M3, E5M2) and way != "upcast":
                continue  # XLA on CPU computes eight bits in float16, which overflows
            report = check_gradient(
                gradient, lambda p, *a, i=inside: f(p, *a, i), p, *given, points=2
            )
            # Sums in the format itself may lose digits, those in float32 none.
            right = ("agree",) if way == "upcast" else ("agree", "imprecise")
            assert report.verdict in right, (way, inside, report)


@pytest.mark.slow
def test_a_right_gradient_agrees_in_each_format_and_one_off_by_more_does_not() -> None:
    for dtype, factor in ((BF16, 1.05), (F16, 1.01)):
        assert judged(lambda g: g, "layer norm", dtype).verdict == "agree"
        wrong = judged(lambda g, f=factor: {**g, "g": f * g["g"]}, "layer norm", dtype)
        assert wrong.verdict == "disagree"
        assert wrong.blame == "yours"
        assert f"what rounding in {dtype} explains" in " ".join(str(wrong).split())


@pytest.mark.slow
@pytest.mark.parametrize(("dtype", "factor"), [(BF16, 1.05), (F16, 1.01), (E4M3, 2.0), (E5M2, -1)])
@pytest.mark.parametrize("name", NAMES)
def test_a_factor_is_caught(name: str, dtype: str, factor: float) -> None:
    """Those of a kernel that sums in float32, from a little more than its rounding on."""
    if name in ("mlp", "attention", "cross entropy", "huber", "quantile") and dtype == BF16:
        factor = 1.15  # whose program shows roundings in the format of the arrays
    if (name, dtype) == ("attention", E4M3):
        factor = -1.0
    report = judged(lambda g: jax.tree.map(lambda a: factor * a, g), name, dtype)
    assert not report.passes


def _without_mean(p: Any, _: Any, c: Any) -> Any:
    """Layer norm, without the mean of the cotangents."""
    w, g, dy = (a.astype(np.float32) for a in (p["x"], p["g"], c))
    mean = w.mean(-1, keepdims=True)
    r = 1 / np.sqrt(((w - mean) ** 2).mean(-1, keepdims=True) + np.float32(1e-2))
    h, dh = (w - mean) * r, dy * g[None, :]
    dx = r * (dh - h * (dh * h).mean(-1, keepdims=True))
    return {
        name: a.astype(c.dtype) for name, a in (("g", (dy * h).sum(0)), ("b", dy.sum(0)), ("x", dx))
    }


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [BF16, F16, E4M3])
def test_a_missing_term_is_caught(dtype: str) -> None:
    f, p, given = functions.one("layer norm", dtype)
    report = check_gradient(_without_mean, lambda p, *a: f(p, *a, jnp.float32), p, *given, points=0)
    assert [leaf.path for leaf in report.leaves if leaf.verdict == "disagree"] == ["p['x']"]


def _forgotten_eps(p: Any, _: Any, c: Any) -> Any:
    w, dy = p["x"].astype(np.float32), c.astype(np.float32)
    r = 1 / np.sqrt((w * w).mean(-1, keepdims=True))
    dh = dy * p["g"].astype(np.float32)[None, :]
    dx = r * (dh - w * r * r * (dh * w).mean(-1, keepdims=True))
    return {"x": dx.astype(c.dtype), "g": (dy * w * r).sum(0).astype(c.dtype)}


@pytest.mark.slow
def test_a_forgotten_eps_is_caught_where_it_is_more_than_rounding() -> None:
    f, p, given = functions.one("rms norm", F16)
    p = {**p, "x": (p["x"] / 8).astype(F16)}
    report = check_gradient(
        _forgotten_eps, lambda p, *a: f(p, *a, jnp.float32), p, *given, points=0
    )
    assert report.verdict == "disagree"


def _summed_in_halves(_: Any, c: Any) -> Any:
    """Return Σ c over the rows, one after the other."""
    total = np.zeros_like(c[0])
    for row in np.asarray(c):
        total = total + row
    return {"b": total}


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [BF16, F16])
def test_sums_in_a_short_format_are_imprecise_where_the_program_has_float32(dtype: str) -> None:
    rng = np.random.default_rng(0)
    p, c = {"b": np.ones(5, dtype)}, rng.normal(1, 1, size=(61, 5)).astype(dtype)

    def loss(p: Any, c: Any) -> Any:
        return (p["b"].astype(jnp.float32)[None, :] * c.astype(jnp.float32)).sum()

    report = check_gradient(_summed_in_halves, loss, p, c, points=1)
    assert report.verdict == "imprecise"
    # A rerun has shown it.
    assert re.search(
        r"the formula is right, (1 digit of it is|\d digits of it are) left", report.headline
    )

    # A tenth is more than rounding costs there, and in one direction.
    def a_tenth_less(_: Any, c: Any) -> Any:
        return {"b": (c.astype(np.float32).sum(0) * 0.9).astype(c.dtype)}

    assert check_gradient(a_tenth_less, loss, p, c, points=1).verdict == "disagree"


@pytest.mark.slow
def test_a_formula_that_no_rerun_has_shown_is_not_called_right() -> None:
    """One that is 3% too large for three examples, which rounding in bfloat16 may be as well."""
    rng = np.random.default_rng(0)
    shapes = {"w": (2, 4), "b": (4,), "v": (4, 1), "x": (3, 2), "y": (3, 1)}
    scales = {"w": 2**-0.5, "v": 0.5}
    drawn = {k: rng.standard_normal(s) * scales.get(k, 1) for k, s in shapes.items()}
    arrays = {k: a.astype(BF16) for k, a in drawn.items()}
    x, y = arrays.pop("x"), arrays.pop("y")

    def loss(p: Any, x: Any, y: Any) -> Any:
        return jnp.mean((jnp.tanh(x @ p["w"] + p["b"][None, :]) @ p["v"] - y) ** 2)

    def gradient(*given: Any) -> Any:
        p, x, y = jax.tree.map(lambda a: np.asarray(a).astype(np.float32), given)
        h = np.tanh(x @ p["w"] + p["b"])
        d = 2 * (h @ p["v"] - y) / y.size
        dz = d @ p["v"].T * (1 - h * h)
        found = {"w": 1.03 * x.T @ dz, "b": dz.sum(0), "v": h.T @ d}
        return {k: g.astype(BF16) for k, g in found.items()}

    report = check_gradient(gradient, loss, arrays, x, y, points=0)
    assert report.verdict == "imprecise"
    assert report.headline.endswith(
        ": 1 digit is right; rounding in bfloat16 may cost as much as that"
    )


@pytest.mark.slow
def test_mixed_leaves_are_judged_each_at_its_own_format() -> None:
    def loss(p: Any) -> Any:
        return jnp.sum(p["a"].astype(jnp.float32) ** 2) + jnp.sum(p["b"] ** 2)

    p = {"a": np.linspace(0.3, 1.1, 5).astype(BF16), "b": np.linspace(0.3, 1.1, 5, dtype="f4")}

    def gradient(p: Any, a: float = 1, b: float = 1) -> Any:
        return {"a": (2 * a * p["a"].astype("f4")).astype(BF16), "b": np.float32(2 * b) * p["b"]}

    assert check_gradient(gradient, loss, p, points=1).verdict == "agree"
    wrong = check_gradient(lambda p: gradient(p, b=1.001), loss, p, points=0)
    assert [leaf.verdict for leaf in wrong.leaves] == ["agree", "disagree"]
    assert [leaf.dtype for leaf in wrong.leaves] == [BF16, "float32"]
    wrong = check_gradient(lambda p: gradient(p, a=1.05), loss, p, points=0)
    assert [leaf.verdict for leaf in wrong.leaves] == ["disagree", "agree"]


def test_terms_that_cancel_in_few_digits_leave_none_of_a_small_element() -> None:
    """1.5078² - 1.5² is off by a third; beside the others that is rounding."""
    a, b = np.array([1.5078125, 3, 4, 5], BF16), np.array([1.5, 1, 1, 1], BF16)

    def loss(w: Any, a: Any, b: Any) -> Any:
        return jnp.sum(w * (a * a - b * b))

    def gradient(_: Any, a: Any, b: Any) -> Any:
        bits = np.asarray(a).view(np.uint16)  # runs in this format alone
        return bits.view(BF16) * a - b * b

    report = check_gradient(gradient, loss, np.ones(4, BF16), a, b, points=0)
    assert report.verdict == "agree"
    assert abs(report.trial.outcomes[0].ruling.yours.gap[0] / 0.0235 - 0.33) < 0.01


@pytest.mark.parametrize("factor", [1.0, 1.2])
def test_a_loss_in_numpy(factor: float) -> None:
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(7, 5)).astype(BF16), rng.normal(size=5).astype(BF16)

    def loss(w: Any, x: Any) -> Any:
        return np.sum(np.tanh(x @ w) ** 2)

    def gradient(w: Any, x: Any) -> Any:
        t = np.tanh(x @ w)
        return (w.dtype.type(factor) * (x.T @ (2 * t * (1 - t * t)))).astype(w.dtype)

    verdict = check_gradient(gradient, loss, w, x, points=1).verdict
    assert verdict == ("agree" if factor == 1 else "disagree")


@pytest.mark.slow
@pytest.mark.parametrize("factor", [1.0, 1.1])
def test_a_loss_value_in_a_short_format(factor: float) -> None:
    w = np.linspace(0.3, 1.1, 9).astype(BF16)

    def both(w: Any) -> Any:
        return (np.mean(w * w) * w.dtype.type(factor), w * w.dtype.type(2 / 9))

    report = check_gradient(both, lambda w: jnp.mean(w * w), w, has_value=True, points=1)
    assert report.verdict == ("agree" if factor == 1 else "disagree")


# Range.


@pytest.mark.slow
def test_a_scaled_loss_is_told_as_one() -> None:
    report = judged(lambda g: jax.tree.map(lambda a: 1024 * a, g), "rms norm", F16, points=3)
    assert [d.kind for d in report.diagnoses] == ["factor"]
    assert "2^10, as of a scaled loss: unscale" in report.diagnoses[0].says


@pytest.mark.slow
def test_a_gradient_beyond_the_range_is_undecidable_and_says_so() -> None:
    def loss(w: Any) -> Any:
        return jnp.sum((w.astype(jnp.float32) * 300) ** 2)

    report = check_gradient(lambda w: w * np.inf, loss, np.ones(3, F16), points=0)
    assert report.verdict == "undecidable"
    assert "1.8e5, beyond float16's largest number, 65504" in report.headline


def test_what_is_flushed_to_zero_is_right_and_is_told() -> None:
    def loss(w: Any) -> Any:
        return jnp.sum(w.astype(jnp.float32) * 1e-8)

    report = check_gradient(lambda w: np.zeros_like(w), loss, np.ones(3, F16), points=0)
    assert report.verdict == "agree"
    assert "below the smallest number of float16" in report.warnings[0]


def test_an_intermediate_that_underflows_is_told() -> None:
    def loss(w: Any) -> Any:
        return jnp.sum((w * F16_SMALL * F16_SMALL).astype(jnp.float32) * 1e4)

    report = check_gradient(lambda w: np.zeros_like(w), loss, np.ones(3, F16), points=0)
    assert report.verdict == "disagree"
    assert (
        "an intermediate result is 1e-8, beyond the smallest number of float16" in report.headline
    )
    assert "test_short_formats.py, line" in report.headline


@pytest.mark.slow
def test_an_intermediate_that_overflows_is_told() -> None:
    def loss(w: Any) -> Any:
        return jnp.sum(jnp.tanh(w * F16_LARGE * F16_LARGE * F16_SMALL))

    def gradient(w: Any) -> Any:
        with np.errstate(over="ignore"):
            return w * F16_LARGE * F16_LARGE

    report = check_gradient(gradient, loss, np.full(3, 0.9, F16), points=0)
    assert report.verdict == "disagree"
    assert report.findings[0].kind == "non-finite"
    assert "beyond the largest number of float16, 65504" in report.headline


def length(w: Any) -> Any:
    return jnp.sqrt(jnp.sum(w.astype(jnp.float32) ** 2))


def of_length(w: Any, inside: Any = np.float16) -> Any:
    with np.errstate(over="ignore"):
        return (w / np.sqrt(np.sum((w * w).astype(inside)))).astype(w.dtype)


@pytest.mark.parametrize(("size", "verdict"), [(200, "disagree"), (2, "agree")])
def test_a_zero_that_an_overflow_leaves_is_no_rounding(size: int, verdict: str) -> None:
    """In exact arithmetic the formula is right; in float16 1/inf is 0 everywhere."""
    report = check_gradient(of_length, length, np.linspace(1, 2, 5).astype(F16) * np.float16(size))
    assert report.verdict == verdict
    told = "computed in float16 throughout, an intermediate result is "
    assert (told in report.headline) == (verdict == "disagree")
    assert ("beyond the largest number of float16, 65504" in report.headline) == (size == 200)


def test_autodiff_that_is_zero_is_blamed() -> None:
    """As that of JAX was for some functions in float16 (jax-ml/jax#7742)."""

    @jax.custom_jvp
    def f(w: Any) -> Any:
        return w.astype(jnp.float32) * 1e-4

    @f.defjvp
    def _(w: Any, dw: Any) -> Any:
        return f(*w), 0 * dw[0].astype(jnp.float32)

    def loss(w: Any) -> Any:
        return jnp.sum(f(w))

    report = check_gradient(lambda w: np.full_like(w, 1e-4), loss, np.ones(5, F16), points=0)
    assert (report.verdict, report.blame) == ("agree", "autodiff")


@pytest.mark.slow
def test_the_report_is_data_and_its_code_can_be_pasted() -> None:
    report = judged(lambda g: jax.tree.map(lambda a: -a, g), "huber", BF16)
    assert report.verdict == "disagree"
    assert json.loads(json.dumps(report.to_dict()))["leaves"][0]["arithmetic"] == BF16
    code = report.counterexample.as_code()
    assert "dtype=ml_dtypes.bfloat16" in code
    assert "import ml_dtypes\n" in code
    assert [d.kind for d in report.diagnoses] == ["sign"]
    power = report.power()
    assert 0 < len(power.missed) < len(power.planted)


def test_slopes_along_directions_are_refused() -> None:
    with pytest.raises(ValueError, match="directions: got parameters in bfloat16"):
        check_gradient(
            lambda w: 2 * w, lambda w: (w * w).sum(), np.ones(2, ml_dtypes.bfloat16), directions=2
        )
