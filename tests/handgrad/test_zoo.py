"""The zoo is what it says: right gradients of the right form, and mistakes that are mistakes."""

from typing import Any

import jax
import numpy as np
import pytest

from models.edits import Gradient
from models.model import Model
from models.zoo import MODELS as ZOO

DRAWS = 10
models = pytest.mark.parametrize("model", ZOO, ids=lambda model: model.name)
dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def draws(model: Model, dtype: Any) -> list[Any]:
    rng = np.random.default_rng(17)
    return [model.point(rng, dtype) for _ in range(DRAWS)]


def form(tree: Any) -> Any:
    leaves, structure = jax.tree.flatten(tree)
    return structure, [(np.shape(leaf), np.asarray(leaf).dtype) for leaf in leaves]


def flat(tree: Any) -> Any:
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(tree)])


def test_the_zoo_is_large_enough() -> None:
    assert len(ZOO) >= 30
    assert len({model.name for model in ZOO}) == len(ZOO)
    assert all(len(model.mistakes) >= 3 for model in ZOO)


@dtypes
@models
def test_a_gradient_has_the_form_of_its_parameters(model: Model, dtype: Any) -> None:
    with jax.enable_x64(True):
        cases = draws(model, dtype)[:2]
        for case in cases:
            before = jax.tree.map(np.array, case)
            gradient = model.gradient(*case)
            assert form(gradient) == form(case[0])
            assert {np.asarray(leaf).dtype for leaf in jax.tree.leaves(gradient)} == {
                np.dtype(dtype)
            }
            assert np.all(np.isfinite(flat(gradient)))
            jax.tree.map(np.testing.assert_array_equal, case, before)
        loss = jax.eval_shape(model.loss, *cases[0])
    assert (loss.shape, loss.dtype) == ((), dtype)


def relative_gap(wrong: Gradient, model: Model, case: Any) -> float:
    """Of the element that is worst off, to the larger of the two."""
    right, planted = flat(model.gradient(*case)), flat(wrong(*case))
    largest = np.maximum(abs(right), abs(planted))
    assert np.all(np.isfinite(planted))
    return float(np.max(abs(right - planted) / np.where(largest > 0, largest, 1)))


@models
def test_a_mistake_is_one_at_most_points(model: Model) -> None:
    with jax.enable_x64(True):
        cases = draws(model, np.float64)
        for slug in model.mistakes:
            wrong = model.wrong(slug)
            assert form(wrong(*cases[0])) == form(cases[0][0]), slug
            # The smallest mistake is planted at a millionth; rounding makes 1e-12 or less.
            caught = [relative_gap(wrong, model, case) > 1e-7 for case in cases]
            assert np.mean(caught) > 0.5, slug


@pytest.mark.slow
@models
def test_the_right_gradient_is_right(model: Model) -> None:
    """To a billionth of the leaf's largest element, at most points: the judge sees every digit.

    JAX's own gradient loses them all in some tails, or is not finite.
    """
    with jax.enable_x64(True):
        hurry = {"xla_backend_optimization_level": 0}
        close, by_jax = [], jax.jit(jax.grad(model.loss), compiler_options=hurry)
        for case in draws(model, np.float64):
            right, autodiff = model.gradient(*case), by_jax(*case)
            pairs = zip(jax.tree.leaves(right), jax.tree.leaves(autodiff), strict=True)
            close.append(
                all(
                    np.all(abs(mine - theirs) <= 1e-9 * np.max(abs(mine), initial=0.0))
                    for mine, theirs in pairs
                )
            )
        assert np.mean(close) > 0.5
