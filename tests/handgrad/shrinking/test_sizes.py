"""Which axes are of one dimension, found by what shapes a loss takes."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad.data.point import point_at
from handgrad.shrinking.dimensions import Dimensions
from handgrad.shrinking.layout import Layout
from handgrad.shrinking.shapes import Probes
from models.small import ENERGY, energy


def dimensions(loss: Callable[..., Any], params: Any, *inputs: Any) -> Dimensions:
    return of_both(loss, lambda params, *_: params, params, *inputs)


def of_both(loss: Any, gradient: Any, params: Any, *inputs: Any) -> Dimensions:
    layout = Layout(point_at(params, inputs))
    return Dimensions(Probes(loss, gradient, layout), layout)


def shapes(loss: Callable[..., Any], lengths: Any, params: Any, *inputs: Any) -> Any:
    return dimensions(loss, params, *inputs).shapes(lengths)


def linear(w: Any, x: Any, y: Any) -> Any:
    return jnp.sum((x @ w - y) ** 2)


def test_batch_and_width_of_one_length_are_told_apart() -> None:
    found = dimensions(linear, np.ones(3), np.ones((3, 3)), np.ones(3))
    assert found.sets == [((1, 0), (2, 0)), ((0, 0), (1, 1))]
    assert found.lengths == [3, 3]
    assert found.shapes([1, 2]) == [(2,), (1, 2), (1,)]


def test_layers_of_one_width_are_told_apart() -> None:
    def network(params: Any, x: Any) -> Any:
        for w, b in params:
            x = jnp.tanh(x @ w + b[None, :])
        return jnp.sum(x)

    params = [(np.ones((3, 3)), np.ones(3)), (np.ones((3, 3)), np.ones(3))]
    found = dimensions(network, params, np.ones((3, 3)))
    assert len(found.sets) == 4
    assert found.shapes([1, 1, 2, 1]) == [(1, 2), (2,), (2, 1), (1,), (1, 1)]


@pytest.mark.slow
def test_lengths_that_depend_on_each_other_shrink_together() -> None:
    def convolution(params: Any, x: Any) -> Any:
        return jnp.convolve(x, params["kernel"], mode="valid") @ params["w"]

    params = {"kernel": np.ones(3), "w": np.ones(5)}
    assert shapes(convolution, [1, 1], params, np.ones(7)) == [(1,), (1,), (1,)]
    assert shapes(convolution, [2, 1], params, np.ones(7)) == [(2,), (1,), (2,)]


def test_lengths_that_stay_as_they_are() -> None:
    data = np.ones((4, 3))
    assert dimensions(lambda w: jnp.sum((data @ w) ** 2), np.ones(3)).sets == []
    # An empty array may stay empty.
    found = dimensions(
        lambda p: jnp.sum(p["w"]) + jnp.sum(p["e"]), {"w": np.ones(2), "e": np.ones(0)}
    )
    assert found.shapes(found.lengths) == [(0,), (2,)]

    # A loss that looks at its integers.
    def loss(w: Any, labels: Any) -> Any:
        return jnp.sum(w[np.asarray(labels)])

    found = dimensions(loss, np.ones(3), np.array([0, 2]))
    assert found.shapes([1, 2]) == [(2,), (1,)]


def test_a_loss_in_numpy() -> None:
    def loss(w: Any, x: Any) -> Any:
        return float(np.asarray(w) @ np.asarray(x))

    assert dimensions(loss, np.ones(3), np.ones(3)).shapes([1]) == [(1,), (1,)]


def classes(w: Any, x: Any, labels: Any) -> Any:
    logs = jax.nn.log_softmax(x @ w, axis=-1)
    return -jnp.mean(jnp.take_along_axis(logs, labels[:, None], axis=1))


def test_labels_stay_below_the_number_of_classes() -> None:
    labels = np.array([4, 0, 1, 2, 3, 4, 0])
    found = dimensions(classes, np.ones((2, 5)), np.ones((7, 2)), labels)
    shapes = found.shapes([3, 1, 2]) or []
    assert shapes == [(1, 2), (3, 1), (3,)]
    assert found.bound(2, shapes) == 2
    assert found.bound(1, shapes) is None


def test_many_inputs_of_one_batch_as_long_as_the_width() -> None:
    def loss(w: Any, x: Any, y: Any, z: Any, weights: Any) -> Any:
        return jnp.sum(weights * (x @ w - y) * z)

    vectors = [np.ones(3) for _ in range(3)]
    found = dimensions(loss, np.ones(3), np.ones((3, 3)), *vectors)
    assert found.sets == [((1, 0), (2, 0), (3, 0), (4, 0)), ((0, 0), (1, 1))]


half_of_the_pairs = ENERGY.wrong("half-of-the-pairs")

#: Of four: the loss takes more charges than places, and more places than charges.
FOUR = np.arange(12.0).reshape(4, 3), np.array([1.0, -1.0, 0.5, -0.5])


def test_axes_that_only_the_gradient_holds_together() -> None:
    assert of_both(energy, half_of_the_pairs, *FOUR).sets == [((0, 0), (1, 0)), ((0, 1),)]


def test_axes_that_neither_holds_together_are_told_apart() -> None:
    for gradient in (jax.grad(energy), lambda places, charges: 0 * places):
        found = of_both(energy, gradient, *FOUR)
        assert found.sets == [((1, 0),), ((0, 0),), ((0, 1),)]


def test_a_gradient_that_answers_in_the_shape_of_something_else_is_refused() -> None:
    found = of_both(energy, lambda places, charges: 0 * charges[:, None] + np.ones(3), *FOUR)
    assert found.sets == [((0, 0), (1, 0)), ((0, 1),)]


def test_of_a_gradient_that_answers_nowhere_else_the_losss_word_is_taken() -> None:
    def fixed(places: Any, charges: Any) -> Any:
        return np.asarray(places) * np.ones((4, 3)) + 0 * np.sum(charges)

    def raises(*_: Any) -> Any:
        raise ValueError

    for gradient in (fixed, raises):
        assert of_both(energy, gradient, *FOUR).sets == [((1, 0),), ((0, 0),), ((0, 1),)]


def test_an_answer_of_the_wrong_shape_only_has_to_come() -> None:
    def flat(places: Any, charges: Any) -> Any:
        return half_of_the_pairs(places, charges).reshape(-1)

    assert of_both(energy, flat, *FOUR).sets == [((0, 0), (1, 0)), ((0, 1),)]


def test_what_the_loss_does_not_use_goes_with_the_examples() -> None:
    def unused(w: Any, times: Any, x: Any, y: Any) -> Any:  # noqa: ARG001 (that is what is tested)
        return linear(w, x, y)

    found = dimensions(unused, np.ones(3), np.ones((3, 5)), np.ones((3, 3)), np.ones(3))
    assert found.sets == [((1, 0), (2, 0), (3, 0)), ((0, 0), (2, 1)), ((1, 1),)]


def test_what_is_only_compared_is_used() -> None:
    def signs(w: Any, x: Any, y: Any) -> Any:
        return jnp.sum(jnp.where(y == 1, x @ w, 0))

    assert shapes(signs, [1, 2], np.ones(3), np.ones((5, 3)), np.ones(5)) == [(2,), (1, 2), (1,)]
