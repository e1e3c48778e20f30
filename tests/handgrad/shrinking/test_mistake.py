"""Whether a mistake shows at another point: what autodiff says is asked first, and is not all."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient
from handgrad.data.point import point_at
from handgrad.judging.witness import RIGHT, ROUNDED
from handgrad.shrinking.signature import signature
from handgrad.shrinking.still_fails import Mistake, nearby
from handgrad.shrinking.subjects import subject_of

#: For which sign of each parameter a gradient is wrong.
SIGNS = (("a", 1), ("b", -1))


def mistake(gradient: Any, loss: Any, *point: Any, **options: Any) -> Mistake:
    """The mistake of a gradient, as it is found at a point."""
    trial = check_gradient(gradient, loss, *point, points=0, **options).trial
    seen, given = signature(trial.outcomes[0]), trial.outcomes[0].given
    assert seen is not None
    return Mistake(subject_of(trial.case, given), given, seen)


@pytest.mark.slow
def test_the_judge_knows_better_than_autodiff() -> None:
    def loss(w: Any) -> Any:
        return jnp.sum(jax.nn.sigmoid(w))

    def wrong_below_0(w: Any) -> Any:
        e = np.exp(-np.abs(w))
        return np.where(w < 0, -1, 1) * e / (1 + e) ** 2

    found = mistake(wrong_below_0, loss, np.array([-1.0]))
    assert found.shows(point_at(np.array([-2.0]), ()))
    saturated = point_at(np.array([36.0]), ())  # autodiff has lost all digits but one
    assert found.seems(saturated)
    assert not found.shows(saturated)


def test_not_where_there_are_ties_if_there_were_none() -> None:
    def loss(w: Any) -> Any:
        return jnp.abs(w["a"]) + w["b"] ** 2

    def wrong(w: Any) -> Any:
        return {"a": np.sign(w["a"]), "b": w["b"]}

    found = mistake(wrong, loss, {"a": np.array(0.5), "b": np.array(1.0)})
    assert found.shows(point_at({"a": np.array(2.0), "b": np.array(1.0)}, ()))
    assert not found.shows(point_at({"a": np.array(0.0), "b": np.array(1.0)}, ()))


def test_not_where_it_is_another_mistake() -> None:
    def loss(w: Any) -> Any:
        return w["a"] ** 2 + w["b"] ** 2

    def wrong(w: Any) -> Any:
        return {name: w[name] * (1 if w[name] * sign > 0 else 2) for name, sign in SIGNS}

    found = mistake(wrong, loss, {"a": np.array(1.0), "b": np.array(1.0)})
    assert found.shows(point_at({"a": np.array(2.0), "b": np.array(3.0)}, ()))
    assert not found.shows(point_at({"a": np.array(-2.0), "b": np.array(-1.0)}, ()))


def test_not_where_numpy_warns_if_it_did_not() -> None:
    def loss(w: Any) -> Any:
        return jnp.sum(w - jnp.log1p(w))

    def wrong(w: Any) -> Any:
        return 1 / (1 + 1 / w) + 0.5  # ∂L/∂w = w / (1 + w)

    found = mistake(wrong, loss, np.array([1.5]))
    assert found.shows(point_at(np.array([3.0]), ()))
    assert not found.shows(point_at(np.array([0.0]), ()))  # as wrong there, after a division by 0


def test_not_where_it_only_leaves_the_domain() -> None:
    def wrong(p: Any) -> Any:
        along = np.array([1.0, 0.0, 0.0]) if p[0] > 0.3 else 0.0
        return 2 * p + 5.0 + along  # 5 leaves the simplex, and is no mistake

    at = np.array([0.5, 0.3, 0.2])
    found = mistake(wrong, lambda p: jnp.sum(p * p), at, domain="simplex")
    assert found.seems(point_at(np.array([0.5, 0.25, 0.25]), ()))
    assert not found.seems(point_at(np.array([0.25, 0.25, 0.5]), ()))
    (near,) = nearby(found.case, point_at(at, ())).leaves
    assert abs(near.sum() - 1) < 1e-15


def test_beside_a_number_neither_wrong_nor_right_is_0() -> None:
    def loss(w: Any, x: Any) -> Any:
        return (w * x - 1) ** 2 + w**2

    def no_decay(w: Any, x: Any) -> Any:
        return 2 * (w * x - 1) * x

    found = mistake(no_decay, loss, np.array(3.0), np.array(2.0))
    plainer = found.beside_a_number()
    for x, plain in ((0.0, False), (1.0, False), (0.5, True)):  # yours is 0, 0, -0.5; exact 2, 2, 1
        point = point_at(np.array(1.0), (np.array(x),))
        assert found.shows(point)
        assert plainer.seems(point) == plainer.shows(point) == plain


@pytest.mark.parametrize(("offset", "shown"), [(2.0**10, True), (2.0**40, False)])
def test_not_where_a_right_gradient_keeps_less_than_half_of_its_digits(
    offset: float, shown: bool
) -> None:
    def loss(w: Any, offset: Any) -> Any:
        return ((w + offset) ** 2 - offset**2) ** 2

    def half(w: Any, offset: Any) -> Any:
        return 2 * w * (w + 2 * offset) * (w + offset)

    found = mistake(half, loss, np.array(1.5), np.array(1.0))
    assert found.seen.autodiff == RIGHT
    point = point_at(np.array(1 / 3), (np.array(offset),))
    ruling = found.subject.judged(point).ruling
    assert ruling is not None
    assert ruling.autodiff.worst == ROUNDED
    assert found.shows(point) == shown
