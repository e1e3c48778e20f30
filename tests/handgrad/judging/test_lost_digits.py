"""Lost digits are no mistake, whatever library a line is from; a mistake there is one."""

import ctypes
import ctypes.util
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special

from handgrad import check_backward, check_gradient
from handgrad.arithmetic import balls
from handgrad.judging.exact_runs import by_numpy, exactly, mapped
from tests.tiers import one_of_each

X = np.array([25.0, 1.0, -2.0])

#: Mistakes in the gradient, whose numbers are given, at x.
MISTAKES: dict[str, Callable[[Any, Any], Any]] = {
    "sign": lambda dx, x: -dx,
    "slip": lambda dx, x: dx * (1 + 1e-6),
    "zero": lambda dx, x: 0 * dx,
    "large x": lambda dx, x: dx * np.where(abs(x) > 20, 1.5, 1.0),
    "zero at large x": lambda dx, x: dx * np.where(abs(x) > 20, 0.0, 1.0),
}


class Pair(NamedTuple):
    """A sigmoid whose derivative σ(1 - σ) loses digits where it is saturated."""

    forward: Callable[[Any], Any]
    backward: Callable[[Any, Any], Any]


def sigmoid_of(exp: Any) -> Any:
    return lambda x: 1 / (1 + exp(-x))


def slope(dy: Any, s: Any) -> Any:
    return dy * s * (1 - s)


def elementwise(f: Callable[[float], float]) -> Callable[[Any], Any]:
    return lambda z: np.array([f(float(v)) for v in np.ravel(z)]).reshape(np.shape(z))


def libm() -> Callable[[Any], Any]:
    exp = ctypes.CDLL(ctypes.util.find_library("m")).exp
    exp.restype, exp.argtypes = ctypes.c_double, [ctypes.c_double]
    return elementwise(exp)


@dataclass(frozen=True)
class Kept:
    """A cache that is no pytree."""

    s: Any
    of: tuple[int, ...]


in_jax, in_numpy = sigmoid_of(jnp.exp), sigmoid_of(np.exp)


def into_a_new_array(dy: Any, x: Any) -> Any:
    dx, x = np.zeros_like(x), np.asarray(x)
    for i, value in enumerate(x):
        dx[i] = slope(dy[i], in_numpy(value))
    return dx


def cached(pack: Callable[[Any], Any], s_of: Callable[[Any], Any]) -> Pair:
    """A forward in JAX that keeps its output, and a backward in NumPy that takes it."""

    def forward(x: Any) -> Any:
        s = in_jax(x)
        return s, pack(s)

    return Pair(forward, lambda dy, cache: slope(np.asarray(dy), np.asarray(s_of(cache))))


#: Some runs can be in higher precision.
RERUN = {
    "jax, numpy": Pair(
        lambda x: (in_jax(x), x),
        lambda dy, x: slope(np.asarray(dy), in_numpy(np.asarray(x))),
    ),
    "numpy, jax": Pair(lambda x: (in_numpy(x), x), lambda dy, x: slope(dy, in_jax(x))),
    "jax, scipy": Pair(
        lambda x: (in_jax(x), x),
        lambda dy, x: slope(np.asarray(dy), scipy.special.expit(np.asarray(x))),
    ),
    "both in one": Pair(
        lambda x: (in_jax(x), x),
        lambda dy, x: slope(np.asarray(dy), np.asarray(jax.nn.sigmoid(jnp.asarray(x)))),
    ),
    "in place": Pair(lambda x: (in_jax(x), x), into_a_new_array),
    "output": cached(lambda s: s, lambda cache: cache),
    "tuple": cached(lambda s: (s, None), lambda cache: cache[0]),
    "list": cached(lambda s: [2, s], lambda cache: cache[1]),
    "dict": cached(lambda s: {"s": s, "axis": 0}, lambda cache: cache["s"]),
    "dataclass": cached(lambda s: Kept(s, s.shape), lambda cache: cache.s),
    "object": cached(lambda s: SimpleNamespace(s=[s]), lambda cache: cache.s[0]),
}

#: These run in float64 alone.
COMPILED = {
    "math": Pair(
        lambda x: (in_jax(x), x),
        lambda dy, x: slope(np.asarray(dy), sigmoid_of(elementwise(math.exp))(np.asarray(x))),
    ),
    "ctypes": Pair(
        lambda x: (in_jax(x), x),
        lambda dy, x: slope(np.asarray(dy), sigmoid_of(libm())(np.asarray(x))),
    ),
}

ALL = RERUN | COMPILED


def test_numbers_inside_objects_are_changed_in_copies() -> None:
    """For another precision; functions, modules and what has a shape are leaves."""
    given = {"a": Kept(1.0, (2,)), "b": [SimpleNamespace(s=3.0, f=len, of=math), X]}
    changed = mapped(lambda leaf: leaf + 1 if isinstance(leaf, int | float) else leaf, given)
    assert changed["a"] == Kept(2.0, (3,))
    assert changed["b"][0] == SimpleNamespace(s=4.0, f=len, of=math)
    assert changed["b"][1] is X
    assert given["a"] == Kept(1.0, (2,))


@pytest.mark.parametrize(("x", "result"), [(np.float64(2.0), 6.0), (np.array(2.0), 9.0)])
def test_an_array_without_axes_is_written_to_and_a_number_is_not(x: Any, result: float) -> None:
    def product(x: Any) -> Any:
        y = x
        y += 1.0
        return x * y

    assert balls.midpoints(by_numpy(product, exactly((x,))).numbers.value) == result
    assert product(x) == result


@pytest.mark.parametrize("name", one_of_each(RERUN, ["jax, numpy"]))
def test_a_pair_of_two_libraries_loses_digits(name: str) -> None:
    report = check_backward(*RERUN[name], X, points=0)
    assert report.verdict == "imprecise"
    assert "the formula is right, 5 digits of it are left" in report.headline


@pytest.mark.slow
@pytest.mark.parametrize("name", ["jax, numpy", "numpy, jax", "dict"])
def test_and_at_other_points(name: str) -> None:
    assert check_backward(*RERUN[name], np.array([6.0, -0.5, 2.0])).verdict == "imprecise"


@pytest.mark.parametrize("z", one_of_each([6.0, 12.0, 25.0, 31.0, 34.0, 37.0, 40.0, 100.0], [25.0]))
def test_compiled_lines_are_not_accused_of_lost_digits(z: float) -> None:
    """From 37 on the gradient is 0."""
    report = check_backward(*COMPILED["math"], np.array([z, 1.0, -2.0]), points=0)
    assert report.verdict in ("agree", "imprecise", "undecidable")
    assert report.verdict != "undecidable" or "rounding may cost as much" in report.headline


@pytest.mark.parametrize("mistake", one_of_each(MISTAKES, ["slip"]))
@pytest.mark.parametrize("name", one_of_each(["jax, numpy", "both in one", *COMPILED], ["math"]))
def test_a_mistake_is_found_there(name: str, mistake: str) -> None:
    forward, backward = ALL[name]

    def wrong(dy: Any, cache: Any) -> Any:
        return MISTAKES[mistake](backward(dy, cache), X)

    assert check_backward(forward, wrong, X, points=0).verdict == "disagree"


@pytest.mark.parametrize(("z", "beyond", "factor"), [(34.5, 20, 1.1), (40.0, 5, 0.0)])
def test_a_factor_is_no_lost_digit_however_small_the_element(
    z: float, beyond: float, factor: float
) -> None:
    """It is wrong by less than an ulp of the elements that are large, and wrong all the same."""

    def loss(z: Any) -> Any:
        return jnp.sum(1 / (1 + jnp.exp(z)))

    def gradient(z: Any) -> Any:
        e = np.array([math.exp(-abs(v)) for v in z])
        return -e / (1 + e) ** 2 * np.where(z > beyond, factor, 1.0)

    assert check_gradient(gradient, loss, np.array([z, 1.0]), points=0).verdict == "disagree"


def test_a_name_for_the_same_array_is_no_copy_of_it() -> None:
    """To JAX the lines are right: there `b *= c` makes another array."""

    def gradient(w: Any) -> Any:
        a = 2 * w
        b = a
        b *= 1 + 1e-6
        return a

    w = np.array([0.5, -1.2])
    assert check_gradient(gradient, lambda w: jnp.sum(w**2), w, points=0).verdict == "disagree"


def loss(w: Any, x: Any, y: Any) -> Any:
    return jnp.mean((jnp.tanh(x @ w) - y) ** 2)


def of_mse(w: Any, x: Any, y: Any, tanh: Any = np.tanh) -> Any:
    h = tanh(x @ w)
    return 2 * x.T @ ((h - y) * (1 - h * h)) / x.dtype.type(len(y))


def compiled_for_float32(z: Any) -> Any:
    return elementwise(lambda v: math.tanh(np.float32(v)))(z).astype(np.float32)


def narrow(*arrays: Any) -> Any:
    return [np.float32(array) for array in arrays]


#: Gradients whose arithmetic is float32's, for parameters in float64.
SINGLE: dict[str, Callable[..., Any]] = {
    "inside": lambda *given: np.float64(of_mse(*narrow(*given))),
    "in jax": lambda *given: jnp.asarray(
        of_mse(*map(jnp.float32, given), tanh=jnp.tanh), jnp.float64
    ),
    "compiled": lambda *given: of_mse(*given, tanh=compiled_for_float32),
    "answer": lambda *given: of_mse(*given).astype(np.float32),
    "compiled answer": lambda *given: of_mse(*narrow(*given), tanh=compiled_for_float32),
}

W = np.array([0.3, -0.7, 0.2])
DATA = np.random.default_rng(0).standard_normal((7, 3)), np.linspace(-0.8, 0.9, 7)


@pytest.mark.parametrize("name", one_of_each(SINGLE, ["answer"]))
def test_arithmetic_in_float32(name: str) -> None:
    report = check_gradient(SINGLE[name], loss, W, *DATA, points=1)
    assert report.verdict == "imprecise"
    # Compiled with other options it may have a digit less.
    said = r"right to [67] digits everywhere, as float32 arithmetic would be"
    assert re.search(said, report.headline)
    kinds = [finding.kind for finding in report.findings]
    assert kinds == (["rounding", "dtype"] if "answer" in name else ["rounding"])


@pytest.mark.slow
@pytest.mark.parametrize("factor", [-1.0, 1 + 1e-6])
@pytest.mark.parametrize("name", SINGLE)
def test_a_mistake_in_float32(name: str, factor: float) -> None:
    def wrong(*given: Any) -> Any:
        answered = SINGLE[name](*given)
        return answered * answered.dtype.type(factor)

    report = check_gradient(wrong, loss, W, *DATA, points=0)
    assert report.verdict == "disagree"
    assert ("dtype" in [finding.kind for finding in report.findings]) == ("answer" in name)


def thirds(w: Any) -> Any:
    return jnp.sum(w**2) / 3


def hidden(w: Any, x: Any, y: Any) -> Any:
    return jnp.mean((jnp.tanh(0.1 * (x @ w)) - y) ** 2)


def of_hidden(*given: Any) -> Any:
    w, x, y = narrow(*given)
    h = np.tanh(np.float32(0.1) * (x @ w))
    return x.T @ ((h - y) * (1 - h * h)) * np.float32(0.2 / 7)


def number_by_number(w: Any) -> Any:
    return np.array([np.float32(2 * np.float32(float(v))) * np.float32(1 / 3) for v in w])


def thirds_and_a_linear_term(w: Any) -> Any:
    return jnp.sum(w[1:] ** 2) / 3 + w[0] / 3


def of_thirds_and_a_linear_term(w: Any) -> Any:
    third = np.float32(1 / 3)
    return np.concatenate([[third], 2 * np.asarray(w, np.float32)[1:] * third]).astype(np.float32)


#: Losses and gradients in float32 whose constants float32 rounds, in NumPy, JAX, and Python.
ROUNDED_CONSTANTS: dict[str, tuple[Callable[..., Any], Callable[..., Any], tuple[Any, ...]]] = {
    "third": (thirds, lambda w: 2 * np.float32(w) * np.float32(1 / 3), (W,)),
    "in jax": (thirds, lambda w: 2 * jnp.float32(w) * jnp.float32(1 / 3), (W,)),
    "number by number": (thirds, number_by_number, (W,)),
    "network": (hidden, of_hidden, (W, *DATA)),
    "linear in one": (thirds_and_a_linear_term, of_thirds_and_a_linear_term, (W,)),
}


@pytest.mark.parametrize("name", one_of_each(ROUNDED_CONSTANTS, ["third"]))
def test_constants_rounded_to_float32(name: str) -> None:
    loss, gradient, at = ROUNDED_CONSTANTS[name]

    def off(factor: float) -> Any:
        def answer(*given: Any) -> Any:
            answered = gradient(*given)
            return np.asarray(answered * answered.dtype.type(factor), np.float64)

        return answer

    report = check_gradient(off(1.0), loss, *at, points=2)
    assert report.verdict == "imprecise"
    said = r"right to [67] digits everywhere, as float32 arithmetic would be"
    assert re.search(said, report.headline)
    for factor in (1 + 1e-6, -1.0):
        assert check_gradient(off(factor), loss, *at, points=0).verdict == "disagree"


def slightly_more(loss: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *at: loss(*at) * (1 + 1e-7)


#: Gradients in float64 that are off by 1e-7: the loss, the gradient, and the point.
IN_FLOAT64: dict[str, tuple[Callable[..., Any], Callable[..., Any], Any]] = {
    "a constant of float32": (thirds, lambda w: 2 * w * float(np.float32(1 / 3)), W),
    "a factor": (thirds, lambda w: 2 * w / 3 * (1 + 1e-7), W),
    "numbers of few bits": (
        slightly_more(lambda w: jnp.sum(w**2)),
        lambda w: 2 * w,
        np.array([0.5, -0.25]),
    ),
    "numbers of float32": (
        slightly_more(lambda w: jnp.sum(w * W.astype(np.float32).astype(np.float64))),
        lambda w: np.float64(np.float32(W)),
        W,
    ),
    "saturated": (
        slightly_more(lambda w: jnp.sum(jnp.tanh(w))),
        lambda w: 1 - np.tanh(w) ** 2,
        np.array([9.0, -9.5, 10.0]),
    ),
    "parameters of float32": (thirds, lambda w: np.float64(np.float32(w)) * 2 * (1 + 1e-7) / 3, W),
    "that hardly changes": (
        slightly_more(lambda w: jnp.sum(w + 1e-4 * w**2)),
        lambda w: 1 + 2e-4 * w,
        W,
    ),
    "zero": (lambda w: 1e-7 * jnp.sum(w**2), lambda w: 0.0 * w, W),
    "zero in float32": (lambda w: 1e-7 * jnp.sum(w**2), lambda w: np.float64(0 * np.float32(w)), W),
}


@pytest.mark.parametrize("name", IN_FLOAT64)
def test_wrong_constants_in_float64(name: str) -> None:
    loss, gradient, w = IN_FLOAT64[name]
    report = check_gradient(gradient, loss, w, points=0)
    assert report.verdict == "disagree"


def of_arctan(x: Any) -> Any:
    return jnp.sum(x * jnp.arctan(1 / x) + jnp.log1p(x * x) / 2)


def of_tails(x: Any) -> Any:
    return -jnp.sum(x**2 / 2 + jax.scipy.special.log_ndtr(-x))


def tails(x: Any) -> Any:
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    return density / scipy.special.ndtr(-x) - x


#: Losses, and gradients that are right but for constants, whose rounding is most of what is left:
#: π/2, in NumPy and JAX, and √(2π), beside √½ in JAX's `ndtr`.
CONSTANTS: dict[str, tuple[Callable[..., Any], Callable[..., Any], float]] = {
    "numpy": (of_arctan, lambda x: np.pi / 2 - np.arctan(x), 1e3),
    "jax": (of_arctan, lambda x: jnp.pi / 2 - jnp.arctan(x), 1e3),
    "scipy": (of_tails, tails, 30.0),
}


@pytest.mark.parametrize("name", one_of_each(CONSTANTS, ["numpy", "jax"]))
def test_rounded_constants(name: str) -> None:
    loss, gradient, x = CONSTANTS[name]
    report = check_gradient(gradient, loss, np.array([x]), points=0)
    assert report.verdict == "imprecise"


@pytest.mark.parametrize(
    "gradient",
    [
        lambda x: 1.5707963267949 - np.arctan(x),
        lambda x: (np.pi / 2 - np.arctan(x)) * (1 + 1e-12),
        lambda x: np.pi / 2 + 1e-15 - np.arctan(x),
    ],
)
def test_constants_that_are_further_off(gradient: Callable[..., Any]) -> None:
    report = check_gradient(gradient, of_arctan, np.array([1e3]), points=0)
    assert report.verdict == "disagree"


@pytest.mark.parametrize("x", [[12.0, 1.0, -9.0], [12.0, 11.0, -9.0], [12.0]])
def test_lost_digits_of_float64_are_not_those_of_float32(x: list[float]) -> None:
    report = check_backward(
        lambda x: (jnp.tanh(x), x), lambda dy, x: dy * (1 - np.tanh(x) ** 2), np.array(x), points=0
    )
    assert report.verdict == "imprecise"
    assert "the formula is right, 6 digits of it are left" in report.headline


def test_few_digits_of_a_gradient_that_hardly_changes() -> None:
    """It does not notice a change that float32 does not show, either."""
    report = check_gradient(
        lambda w: (1 + 2e-4 * w + 1e8) - 1e8, lambda w: jnp.sum(w + 1e-4 * w**2), W, points=0
    )
    assert "the formula is right, 8 digits of it are left" in report.headline


def test_digits_that_float32_loses_besides() -> None:
    def gradient(w: Any) -> Any:
        v = np.float32(w)
        large = v * np.float32(1234)
        return np.float64(2 * ((large + v) - large))

    report = check_gradient(gradient, lambda w: jnp.sum(w**2), W, points=0)
    assert re.search(r"the formula is right, [345] digits of it are left", report.headline)


def test_a_number_in_float32() -> None:
    report = check_gradient(
        lambda w: np.float64(np.exp(np.float32(w))), lambda w: jnp.exp(w), np.float64(0.3), points=0
    )
    assert report.headline.endswith("right to 7 digits everywhere, as float32 arithmetic would be")
    report = check_gradient(
        lambda w: (w * 1e8 + 1) * 0.3 - w * 1e8 * 0.3, lambda w: 0.3 * w, np.float64(0.3), points=0
    )
    assert "the formula is right, 8 digits" in report.headline


def test_lost_digits_of_numbers_beyond_the_largest_float32() -> None:
    """NumPy's warnings are errors here."""
    report = check_gradient(
        lambda z: 1e50 * in_numpy(z) * (1 - in_numpy(z)),
        lambda z: 1e50 * jnp.sum(in_jax(z)),
        X,
        points=0,
    )
    assert report.verdict == "imprecise"


def test_a_float32_answer_is_never_quite_right() -> None:
    """2w is exact in float32 at this point."""
    w = np.array([0.5, -0.25])
    report = check_gradient(lambda w: np.float32(2 * w), lambda w: jnp.sum(w**2), w, points=0)
    assert report.headline == "imprecise: w: got float32, expected float64"


#: Beside it a number of 0.3 needs more bits than are tried first.
FAR = 2.0**400


@pytest.mark.parametrize(
    "gradient",
    [
        lambda x: ((x + FAR) - FAR) * 2,
        lambda x: np.array([v * 2 if v + FAR > FAR else v * 0 for v in x]),
    ],
)
def test_a_rerun_takes_as_many_bits_as_it_needs(gradient: Any) -> None:
    """A float beside FAR is lost, and so is its ball at few bits; the formula is right."""
    report = check_gradient(gradient, lambda x: jnp.sum(x**2), np.array([0.3, 1.7]), points=0)
    assert report.verdict == "undecidable"


def test_what_cancels_down_to_a_tiny_number_is_rerun_with_all_bits() -> None:
    """The mean of three residuals is 3e-77 here, which 256 bits beside 1 do not tell from 0."""
    x, y = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 4.0]]), np.array([1.0, 0.0, 2.0])

    def loss(params: Any) -> Any:
        return jnp.mean((x @ params["w"] + params["b"] - y) ** 2)

    def right(params: Any) -> Any:
        residual = x @ params["w"] + params["b"] - y
        return {"w": 2 * x.T @ residual / len(y), "b": 2 * residual.mean()}

    params = {"w": np.array([0.0, 1e-77]), "b": np.array(1.0)}
    assert check_gradient(right, loss, params, points=0).verdict == "agree"


@pytest.mark.slow
@pytest.mark.parametrize(("factor", "verdict"), [(1, "agree"), (2, "disagree")])
def test_where_yours_is_wrong_autodiff_s_lost_digits_are_not_told(
    factor: float, verdict: str
) -> None:
    def loss(w: Any) -> Any:
        return jnp.sum((1 + w) - jnp.sqrt(1 + 2 * w))

    def gradient(w: Any) -> Any:
        root = np.sqrt(1 + 2 * w)
        return factor * 2 * w / (root * (root + 1))

    report = check_gradient(gradient, loss, np.array([1e-9, 2e-8, 3e-5], np.float32), points=3)
    told = [warning for warning in report.warnings if warning.startswith("autodiff loses digits")]
    assert (report.verdict, len(told)) == (verdict, factor == 1)
