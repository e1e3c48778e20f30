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


half_of_the_pairs = ENERGY.wrong("half-of-the-pairs")

#: Of four: the loss takes more charges than places, and more places than charges.
FOUR = np.arange(12.0).reshape(4, 3), np.array([1.0, -1.0, 0.5, -0.5])


def test_axes_that_only_the_gradient_holds_together() -> None:
    assert of_both(energy, half_of_the_pairs, *FOUR).sets == [((0, 0), (1, 0)), ((0, 1),)]


def test_what_the_loss_does_not_use_goes_with_the_examples() -> None:
    def unused(w: Any, times: Any, x: Any, y: Any) -> Any:  # noqa: ARG001 (that is what is tested)
        return linear(w, x, y)

    found = dimensions(unused, np.ones(3), np.ones((3, 5)), np.ones((3, 3)), np.ones(3))
    assert found.sets == [((1, 0), (2, 0), (3, 0)), ((0, 0), (2, 1)), ((1, 1),)]
