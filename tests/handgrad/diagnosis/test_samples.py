"""The points that a diagnosis rests on: enough to refute with, no more than there is time for."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient
from handgrad.diagnosis.samples import CONFIRM, FIT, LARGER, SMALL, Evidence, collected, is_enough

pytestmark = pytest.mark.usefixtures("measured_once")

W, X = np.array([0.5, -1.0, 2.0]), np.array([1.0, 2.0, 3.0])


def loss(w: Any, x: Any) -> Any:
    return jnp.sum(jnp.tanh(w * x) ** 2)


def doubled(w: Any, x: Any) -> Any:
    h = np.tanh(w * x)
    return 4 * h * (1 - h * h) * x


def of(gradient: Any, **options: Any) -> Evidence:
    return collected(check_gradient(gradient, loss, W, X, **options).trial)[0]


@pytest.mark.parametrize("options", [{}, {"points": 0}])
def test_a_wrong_gradient_is_wrong_at_some_points_to_fit_at_and_at_others_to_confirm(
    options: Any,
) -> None:
    """Fresh points are drawn where the caller gave none."""
    found = of(doubled, **options)
    assert (len(found.fit), len(found.fresh)) == (FIT, CONFIRM)
    assert all(sample.wrong.all() and (sample.noise < 1e-12).all() for sample in found.all)
    places = [tuple(sample.params) for sample in found.all]
    assert len(set(places)) == len(places)


def test_a_gradient_that_is_wrong_at_one_point_alone_has_no_evidence() -> None:
    def wrong_there(w: Any, x: Any) -> Any:
        return doubled(w, x) / (1 if (w == W).all() else 2)

    assert not is_enough(of(wrong_there))


def test_where_it_is_right_it_is_held_to_that_as_well() -> None:
    def wrong_where_positive(w: Any, x: Any) -> Any:
        return doubled(w, x) / (1 if w[0] > 0 else 2)

    found = of(wrong_where_positive)
    assert any(not sample.wrong.any() for sample in found.fresh)


def test_points_where_a_gradient_raises_are_passed_over() -> None:
    def raising(w: Any, x: Any) -> Any:
        if w[0] > W[0]:
            raise ValueError("not there")
        return doubled(w, x)

    found = of(raising, points=0)
    places = [tuple(sample.params) for sample in found.all]
    assert len(set(places)) == len(places) == FIT + CONFIRM
    assert all(place[0] <= W[0] for place in places)


def test_small_parameters_are_tried_at_about_size_1_as_well() -> None:
    def of_two(p: Any, x: Any) -> Any:
        return loss(p["small"] + p["large"], x)

    def twice(p: Any, x: Any) -> Any:
        return dict.fromkeys(p, doubled(p["small"] + p["large"], x))

    params = {"small": 1e-3 * W, "large": W}
    found, _ = collected(check_gradient(twice, of_two, params, X, points=0).trial)
    large, small = np.split(np.array([sample.params for sample in found.all]), 2, axis=1)
    grown = (large == W).all(axis=1) & (np.abs(small).max(axis=1) > SMALL)
    assert grown.sum() == LARGER == len(np.unique(small[grown], axis=0))
    assert np.abs(small).max() < 5


@pytest.mark.slow
def test_a_kink_is_asked_last() -> None:
    """What is nearest to a wrong gradient there is not what its author meant."""

    def bent(w: Any, x: Any) -> Any:
        return jnp.sum(jnp.maximum(w * x, 0.0) ** 2 + jnp.abs(w))

    def twice(w: Any, x: Any) -> Any:
        return 2 * (2 * np.maximum(w * x, 0) * x + np.sign(w))

    w = np.array([0.0, 1.5, -2.0])
    found, _ = collected(check_gradient(twice, bent, w, X, points=2).trial)
    assert (len(found.fit), len(found.fresh)) == (FIT, CONFIRM)
    assert not any((sample.params == w).all() for sample in found.all)
