"""The line that gives a report again: which names and options stand in it.

That it gives the same report is asserted of all cases, in `tests/test_corpus.py`.
"""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_backward, check_custom, check_gradient

W, X = np.array([0.1, -0.2]), np.array([1.5, 2.0])


def squares(w: Any, x: Any) -> Any:
    return jnp.sum((w * x) ** 2)


def by_hand(w: Any, x: Any) -> Any:
    return 2 * w * x**2


def with_value(w: Any, x: Any) -> Any:
    return squares(w, x), by_hand(w, x)


def forward_of(x: Any) -> Any:
    return x * x, x


def back_of(d: Any, x: Any) -> Any:
    return 2 * d * x


def made(function: Any) -> Any:
    def inner(w: Any, x: Any) -> Any:
        return function(w, x)

    return inner


def scaled(function: Any) -> Any:
    return wraps(function)(lambda *point: 1.5 * function(*point))


sine = jax.custom_jvp(lambda x: jnp.sin(x))
sine.defjvp(lambda x, dx: (jnp.sin(*x), jnp.cos(*x) * dx[0]))


def of(gradient: Any, loss: Any, *at: Any, **options: Any) -> Callable[[], Any]:
    asked: Any = {"points": 0} | options
    return lambda: check_gradient(gradient, loss, *at or (W, X), **asked)


#: Checks, and what stands between the brackets.
LINES: list[tuple[Callable[[], Any], str]] = [
    (
        of(by_hand, squares, points=np.int64(2), seed=1, seconds=float("inf")),
        "by_hand, squares, w, x, points=2, seed=1, seconds=float('inf')",
    ),
    (
        of(by_hand, squares, points=[(X, W)], seconds=20.0, referee="auto"),
        "by_hand, squares, w, x, points=points",
    ),
    (
        of(with_value, squares, has_value=True, strict=True, referee="series"),
        "with_value, squares, w, x, points=0, referee='series', has_value=True, strict=True",
    ),
    (
        lambda: check_backward(forward_of, back_of, X, cotangent=W, points=0),
        "forward_of, back_of, x, cotangent=cotangent, points=0",
    ),
    (lambda: check_custom(sine, X, points=0), "f, x, points=0"),
    # What has no name of its own, or that of another, which would be judged in its place.
    (of(made(by_hand), made(squares)), "gradient, loss, w, x, points=0"),
    (of(partial(by_hand, x=X), partial(squares, x=X), W), "gradient, loss, w, points=0"),
    (of(scaled(by_hand), squares), "gradient, squares, w, x, points=0"),
    # Arguments whose names do not tell which is which.
    (
        of(by_hand, lambda _, params: jnp.sum(_ * params)),
        "by_hand, loss, params, *inputs, points=0",
    ),
]


@pytest.mark.parametrize(("check", "line"), LINES)
def test_the_line_that_gives_it_again(check: Callable[[], Any], line: str) -> None:
    report = check()
    assert report.reproduce.partition("(")[2] == f"{line})"
    assert f"Again: {report.reproduce}" in " ".join(str(report).split())
