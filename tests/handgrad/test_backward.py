"""Backward steps and custom derivative rules."""

import itertools
import re
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_backward, check_custom, check_gradient, check_steps

X = np.arange(6.0).reshape(2, 3) / 7 - 0.3
W = np.arange(15.0).reshape(3, 5) / 11 - 0.6
B = np.linspace(-0.5, 0.5, 5)


def affine(x: Any, w: Any, b: Any) -> Any:
    return x @ w + b[None, :], (x, w)


def affine_backward(dz: Any, cache: Any) -> Any:
    x, w = cache
    return dz @ w.T, x.T @ dz, dz.sum(axis=0)


def test_a_wrong_step_is_blamed_on_its_leaf() -> None:
    right = check_backward(affine, affine_backward, X, W, B)
    assert (right.verdict, right.blame) == ("agree", None)
    assert [leaf.path for leaf in right.leaves] == ["x", "w", "b"]

    def averaged(dz: Any, c: Any) -> Any:
        return dz @ c[1].T, c[0].T @ dz, dz.mean(axis=0)

    report = check_backward(affine, averaged, X, W, B)
    assert report.verdict == "disagree"
    assert {finding.leaf for finding in report.findings} == {"b"}


@pytest.mark.slow
def test_a_dictionary_in_and_whole_numbers_beside_it() -> None:
    def forward(table: Any, rows: Any) -> Any:
        return table["words"][rows], (table["words"].shape, rows)

    def backward(da: Any, cache: Any) -> Any:
        shape, rows = cache
        dwords = np.zeros(shape)
        np.add.at(dwords, rows, da)
        return {"words": dwords}, None

    table = {"words": np.arange(12.0).reshape(4, 3)}
    rows = np.array([1, 3, 1])
    assert check_backward(forward, backward, table, rows).verdict == "agree"

    def forgets_the_second(da: Any, cache: Any) -> Any:
        shape, rows = cache
        dwords = np.zeros(shape)
        dwords[rows] = da  # a row that comes twice counts once
        return {"words": dwords}, None

    assert check_backward(forward, forgets_the_second, table, rows).verdict == "disagree"


def test_the_form_of_an_answer() -> None:
    def writes(dz: Any, cache: Any) -> Any:
        dz *= 2
        return affine_backward(dz / 2, cache)

    spoilt = check_backward(affine, writes, X, W, B)
    assert [(f.kind, f.leaf) for f in spoilt.findings] == [("mutation", "cotangent")]
    too_few = check_backward(affine, lambda dz, c: (dz @ c[1].T, c[0].T @ dz), X, W, B)
    assert [finding.kind for finding in too_few.findings] == ["structure"]


def test_what_is_no_step() -> None:
    with pytest.raises(TypeError, match="expected an array of floats"):
        check_backward(affine, affine_backward, np.array([1, 2]))
    with pytest.raises(TypeError, match=r"forward: got .*, expected \(output, cache\)"):
        check_backward(lambda x: x * x, lambda dy, x: dy * x, X)


@jax.custom_vjp
def softplus(x: jax.Array) -> jax.Array:
    return jnp.logaddexp(x, 0.0)


softplus.defvjp(lambda x: (softplus(x), x), lambda x, g: (g * jax.nn.sigmoid(x),))


@jax.custom_jvp
def cube(x: jax.Array) -> jax.Array:
    return x**3


cube.defjvp(lambda x, t: (cube(*x), 3 * x[0] * t[0]))


@pytest.mark.slow
def test_custom_rules() -> None:
    wrong = check_custom(cube, np.array([0.3, -1.2]), points=0)
    assert (wrong.verdict, wrong.blame) == ("disagree", "yours")
    assert check_custom(softplus, np.array([0.3, -1.2, 25.0]), points=1).verdict == "agree"


@jax.custom_jvp
def falling(x: Any) -> Any:
    return jnp.exp(-x) / (1 + jnp.exp(-x))


@falling.defjvp
def _lossy_rule(x: Any, t: Any) -> Any:
    s = 1 / (1 + jnp.exp(-x[0]))
    return falling(*x), -s * (1 - s) * t[0]


@pytest.mark.slow
def test_a_rule_that_loses_digits_is_held_to_the_functions_own_derivative() -> None:
    report = check_custom(falling, np.array([29.0]), points=0)
    assert (report.verdict, report.blame) == ("imprecise", "yours")
    (leaf,) = report.leaves
    assert leaf.ulps_autodiff < 100 < leaf.ulps


def test_a_seed_is_a_whole_number_from_0() -> None:
    with pytest.raises(ValueError, match="seed: got -1, expected a whole number from 0"):
        check_backward(affine, affine_backward, X, W, B, seed=-1)
    with pytest.raises(ValueError, match="seed: got -1, expected a whole number from 0"):
        check_custom(cube, X, seed=-1)


def test_a_function_without_a_custom_rule() -> None:
    with pytest.raises(TypeError, match=r"expected a jax\.custom_vjp or jax\.custom_jvp function"):
        check_custom(jnp.sin, np.array([1.0]))


@pytest.mark.slow
def test_a_step_in_numpy_may_end_at_one_number() -> None:
    def forward(z: Any) -> Any:
        e = np.exp(z)
        return e.sum(), e

    z = np.array([0.5, -1.0])
    assert check_backward(forward, lambda d, e: d * e, z).verdict == "agree"
    assert check_backward(forward, lambda d, e: d * e / 2, z).verdict == "disagree"


@pytest.mark.parametrize(
    ("cotangent", "got"),
    [
        (np.ones(2), "got (2,), expected (3, 2)"),
        ([np.ones((3, 2))] * 2, "got (3, 2), (3, 2), expected (3, 2)"),
        (np.ones((3, 2), dtype=complex), "got complex128, expected real numbers"),
    ],
)
def test_a_cotangent_has_the_output_s_shape(cotangent: Any, got: str) -> None:
    def forward(z: Any) -> Any:
        return 2 * z, None

    with pytest.raises(TypeError, match=re.escape(f"cotangent: {got}")):
        check_backward(forward, lambda d, _: 2 * d, np.ones((3, 2)), cotangent=cotangent)


@pytest.mark.parametrize("array", [np.asarray, jnp.asarray])
def test_a_cotangent_is_an_array_of_the_output_s_kind(array: Any) -> None:
    kinds: set[bool] = set()

    def backward(d: Any, z: Any) -> Any:
        kinds.add(isinstance(d, jax.Array))
        return 2 * d * z

    def forward(z: Any) -> Any:
        z = array(z)
        return z * z, z

    cotangent = np.array([1.0, 2.0])
    check_backward(forward, backward, np.array([0.3, -0.7]), cotangent=cotangent, points=0)
    assert kinds == {array is jnp.asarray}


def test_a_cotangent_is_taken_in_the_output_s_dtype() -> None:
    def forward(z: Any) -> Any:
        return z * z, z

    z, cotangent = np.array([0.3, -0.7]), np.array([1, 2])
    answer = check_backward(forward, lambda d, z: 2 * d * z, z, cotangent=cotangent)
    assert answer.verdict == "agree"


MIXED = np.array([0.3, -0.7, 1.2])


def relu(x: Any) -> Any:
    a = jnp.maximum(x, 0.0)
    return a, {"a": a, "n": 3}


def in_its_cache(d: Any, cache: Any) -> Any:
    cache["a"][cache["a"] > 0] = 1.0
    return d * cache["a"]


def in_a_view(d: Any, cache: Any) -> Any:
    d = np.asarray(d)
    d *= np.asarray(cache["a"]) > 0
    return d


def as_compiled_code_does(d: Any, cache: Any) -> Any:
    if not (isinstance(d, np.ndarray) and d.flags.writeable):
        raise TypeError(f"cannot determine the type of {type(d)}")
    return d * (np.asarray(cache["a"]) > 0)


@pytest.mark.parametrize("backward", [in_its_cache, in_a_view, as_compiled_code_does])
def test_what_jax_keeps_read_only_is_given_again_as_writable_copies(backward: Any) -> None:
    report = check_backward(relu, backward, MIXED, points=1)
    assert report.verdict == "agree", str(report)
    assert report.warnings[0].startswith("backward was given writable NumPy copies, as on arrays")
    wrong = check_backward(relu, lambda d, cache: 2 * backward(d, cache), MIXED, points=0)
    assert wrong.verdict == "disagree"


def test_what_raises_on_numpy_arrays_is_not_called_again() -> None:
    calls = itertools.count()

    def backward(d: Any, cache: Any) -> Any:
        if next(calls) == 0:
            raise ValueError("at first")
        return 2 * d * cache

    with pytest.raises(ValueError, match="at first"):
        check_backward(lambda x: (x * x, x), backward, MIXED, points=0)


def test_what_raises_on_numpy_arrays_too_raises_as_it_did_first() -> None:
    def backward(d: Any, _: Any) -> Any:
        raise KeyError("NumPy" if isinstance(d, np.ndarray) else "JAX")

    with pytest.raises(KeyError, match="JAX"):
        check_backward(relu, backward, MIXED)


def test_outputs_that_hold_no_floats_have_no_cotangent() -> None:
    def forward(x: Any) -> Any:
        return {"y": x * x, "positive": x > 0, "count": 3}, x

    def backward(d: Any, x: Any) -> Any:
        assert d["positive"] is None
        return 2 * d["y"] * x

    assert check_backward(forward, backward, X, points=0).verdict == "agree"
    wrong = check_backward(forward, lambda d, x: d["y"] * x, X, points=0)
    assert wrong.verdict == "disagree"
    with pytest.raises(TypeError, match="output: got bool, int64, expected floats"):
        check_backward(lambda x: ((x > 0, 3), x), backward, X)

    def tripled(y: Any) -> Any:
        return 3 * y["y"], None

    steps = [("a", forward, backward), ("b", tripled, lambda d, _: {"y": 3 * d} | NONE)]
    assert check_steps(steps, X, points=0)


NONE = {"positive": None, "count": None}


@dataclass
class Weights:
    w: Any


def test_a_dataclass_that_is_no_pytree() -> None:
    says = "got a Weights, a dataclass that JAX takes for one value; expected a pytree: call jax"
    with pytest.raises(TypeError, match=f"^p: {says}"):
        check_gradient(lambda p: p, lambda p: p.w.sum(), Weights(X))
    with pytest.raises(TypeError, match=f"^p: {says}"):
        check_backward(lambda p: (p.w, None), lambda d, _: d, Weights(X))
