"""The subjects of the comparison of checkers: right where they say so, and wrong where they do."""

import copy
from collections import Counter
from typing import Any

import jax
import numpy as np
import pytest

from models.checkers import MODELS
from models.mistakes import ACCEPTED
from models.model import Model
from tests.tiers import one_of_each

BY_NAME = {subject.name: subject for subject in MODELS}
PLANTED = [(s.name, slug) for s in MODELS for slug in s.mistakes]

#: Of the largest element of a leaf. Some hundred operations, each off by 2⁻⁵³, add up to 1e-13 at
#: worst; sums that cancel may cost another digit. The largest gap measured is 6e-15.
ROUNDING = 1e-12

#: A checker by finite differences in float64 sees six digits; what is below is no mistake to plant.
PLAIN = 1e-6

POINTS = 5


def _points(subject: Model) -> list[tuple[Any, ...]]:
    return [subject.draw(np.random.default_rng(seed)) for seed in range(POINTS)]


def _leaves(tree: Any) -> list[np.ndarray]:
    return [np.asarray(leaf) for leaf in jax.tree_util.tree_leaves(tree)]


def _agree(a: Any, b: Any, bound: float) -> bool:
    """Whether two pytrees have the same form, and no leaf is off by more than its bound."""
    if jax.tree_util.tree_structure(a) != jax.tree_util.tree_structure(b):
        return False
    return all(
        x.shape == y.shape and np.max(np.abs(x - y)) <= bound * np.max(np.abs(y))
        for x, y in zip(_leaves(a), _leaves(b), strict=True)
    )


def _wrong(gradient: Any, subject: Model, point: tuple[Any, ...]) -> bool:
    """Whether it is wrong at the first call, or at the second with the same arguments."""
    right = subject.gradient(*copy.deepcopy(point))
    mine = copy.deepcopy(point)
    first = copy.deepcopy(gradient(*mine))
    return not (_agree(first, right, PLAIN) and _agree(gradient(*mine), right, PLAIN))


def test_every_mistake_is_planted_in_at_least_six_subjects() -> None:
    planted = Counter(slug for _, slug in PLANTED)
    assert set(planted) == set(ACCEPTED)
    assert {slug: n for slug, n in planted.items() if n < 6} == {}


@pytest.mark.parametrize(
    "name",
    one_of_each(
        list(BY_NAME),
        ("article-people", "softmax-relu-tie"),
    ),
)
def test_the_gradient_is_right(name: str) -> None:
    subject = BY_NAME[name]
    with jax.enable_x64(True):
        autodiff = jax.jit(jax.grad(subject.loss))
        for point in _points(subject):
            right = subject.gradient(*point)
            assert all(leaf.dtype == np.float64 for leaf in _leaves(right))
            assert _agree(right, autodiff(*point), ROUNDING)


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_NAME)
def test_mistakes_are_wrong_at_nearly_all_points(name: str) -> None:
    subject = BY_NAME[name]
    wrong = Counter[str]()
    for point in _points(subject):
        for slug in subject.mistakes:
            wrong[slug] += _wrong(subject.wrong(slug), subject, point)
    assert {slug: n for slug in subject.mistakes if (n := wrong[slug]) < POINTS - 1} == {}


@pytest.mark.parametrize("name", [name for name, slug in PLANTED if slug == "relu-at-zero"])
def test_the_other_convention_differs_at_the_tie_alone(name: str) -> None:
    subject = BY_NAME[name]
    other = subject.wrong("relu-at-zero")
    for params, *inputs in _points(subject):
        assert not _agree(other(params, *inputs), subject.gradient(params, *inputs), PLAIN)
        moved = jax.tree_util.tree_map(lambda leaf: leaf + 0.01, params)
        assert _agree(other(moved, *inputs), subject.gradient(moved, *inputs), 0.0)


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_NAME)
def test_arguments_are_left_as_they_are(name: str) -> None:
    subject = BY_NAME[name]
    written = []
    for slug in ("", *subject.mistakes):
        gradient = subject.wrong(slug) if slug else subject.gradient
        point = subject.draw(np.random.default_rng(0))
        mine = copy.deepcopy(point)
        gradient(*mine)
        written += [] if _agree(mine, point, 0.0) else [slug]
    # It writes its residuals where the targets were.
    assert written == (["accumulates"] if name == "polynomial" else [])


@pytest.mark.parametrize("name", [name for name, slug in PLANTED if slug == "accumulates"])
def test_what_accumulates_is_right_at_the_first_call(name: str) -> None:
    subject = BY_NAME[name]
    point = subject.draw(np.random.default_rng(0))
    right = subject.gradient(*copy.deepcopy(point))
    assert _agree(subject.wrong("accumulates")(*point), right, ROUNDING)
