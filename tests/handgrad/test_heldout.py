"""The models kept aside are what they say: right gradients, and mistakes that are mistakes."""

from typing import Any

import jax
import numpy as np
import pytest

from models.edits import Gradient
from models.held_out import MODELS
from models.mistakes import ACCEPTED
from models.model import Model
from tests.tiers import slowly

DRAWS = 3
# Of the largest element of the leaf. Both sides round about a hundred times on the way, on values
# of order one that cancel by two digits at most: 1e-12 leaves room. Every mistake is far beyond.
SAME = 1e-12
WRONG = 1e-6

subjects = pytest.mark.parametrize("subject", MODELS, ids=lambda subject: subject.name)


def plain(slug: str) -> str:
    return slug.partition("/")[0]


def draws(subject: Model) -> list[Any]:
    rng = np.random.default_rng(5)
    return [subject.draw(rng) for _ in range(DRAWS)]


def copied(tree: Any) -> Any:
    return jax.tree.map(np.array, tree)


def shapes(tree: Any) -> Any:
    leaves, structure = jax.tree.flatten(tree)
    return structure, [np.shape(leaf) for leaf in leaves]


def gap(a: Any, b: Any) -> float:
    """The largest over leaves, each relative to the leaf's largest element on either side."""
    pairs = zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    return max(float(np.max(abs(x - y)) / np.max([abs(x), abs(y)])) for x, y in pairs)


def answer(gradient: Gradient, case: Any) -> Any:
    """Copied both ways: what a gradient does to its arguments or returned arrays stays with it."""
    return copied(gradient(*copied(case)))


def test_every_slug_is_planted_in_two_models_at_least() -> None:
    planted = [{plain(slug) for slug in subject.mistakes} for subject in MODELS]
    assert set().union(*planted) == set(ACCEPTED)
    assert [slug for slug in ACCEPTED if sum(slug in model for model in planted) < 2] == []
    assert [len(model) for model in planted if len(model) < 15] == []
    assert len({subject.name for subject in MODELS}) == 5


@pytest.mark.parametrize(
    "subject", [MODELS[0], *map(slowly, MODELS[1:])], ids=lambda subject: subject.name
)
def test_the_right_gradient_is_right(subject: Model) -> None:
    with jax.enable_x64(True):
        derivative = jax.jit(jax.grad(subject.loss))
        for case in draws(subject):
            before = copied(case)
            right = subject.gradient(*case)
            assert shapes(right) == shapes(case[0])
            assert {np.asarray(leaf).dtype for leaf in jax.tree.leaves(right)} == {np.dtype(float)}
            assert gap(right, derivative(*case)) < SAME
            jax.tree.map(np.testing.assert_array_equal, case, before)
            jax.tree.map(np.testing.assert_array_equal, right, subject.gradient(*case))


@subjects
def test_a_mistake_is_one_at_every_point(subject: Model) -> None:
    for case in draws(subject):
        right = answer(subject.gradient, case)
        for slug in subject.mistakes:
            if plain(slug) == "accumulates":
                continue
            planted = answer(subject.wrong(slug), case)
            assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(planted)), slug
            if shapes(planted) == shapes(right):
                assert gap(planted, right) > WRONG, slug
            else:
                assert "shape" in ACCEPTED[plain(slug)], slug
                assert shapes(planted)[0] == shapes(right)[0], slug


@subjects
def test_what_accumulates_is_wrong_at_the_second_call(subject: Model) -> None:
    case = draws(subject)[0]
    slugs = [slug for slug in subject.mistakes if plain(slug) == "accumulates"]
    assert slugs
    for slug in slugs:
        arguments = copied(case)
        wrong = subject.wrong(slug)
        first = copied(wrong(*arguments))
        assert shapes(first) == shapes(case[0])
        assert gap(wrong(*arguments), first) > WRONG, slug


@subjects
def test_a_relu_at_zero_is_right_but_at_the_tie(subject: Model) -> None:
    """Wrong at the draw, by the test above; right where every parameter has moved a little."""
    rng = np.random.default_rng(6)
    for params, *inputs in draws(subject):
        moved = jax.tree.map(lambda leaf: leaf + 0.01 * rng.normal(size=np.shape(leaf)), params)
        for slug in subject.mistakes:
            if plain(slug) == "relu-at-zero":
                wrong = subject.wrong(slug)
                assert gap(wrong(moved, *inputs), subject.gradient(moved, *inputs)) == 0, slug


@subjects
def test_mistakes_that_no_kind_unites_are_different(subject: Model) -> None:
    """Else one of the two would be named wrongly whatever is said."""
    case = draws(subject)[0]
    answers = {
        slug: answer(subject.wrong(slug), case)
        for slug in subject.mistakes
        if plain(slug) != "accumulates"
    }
    for slug, one in answers.items():
        for other, another in answers.items():
            united = set(ACCEPTED[plain(slug)]) & set(ACCEPTED[plain(other)])
            if not united and shapes(one) == shapes(another):
                assert gap(one, another) > WRONG, (slug, other)
