"""The article's 2-2-1 network as the subject of a proof."""

from collections.abc import Callable, Mapping
from typing import Any

import manual.article
from compare.proof.arrays import Array
from compare.proof.number import Number
from compare.proof.subject import Run
from compare.symbols import variable
from manual.article import Parameters

#: (params, x, y) -> nine partial derivatives.
Gradient = Callable[[Any, Any, Any], Any]


#: The nine parameters' new names when h1 and h2 are exchanged.
SWAPPED = ("w3", "w4", "w1", "w2", "w6", "w5", "b2", "b1", "b3")


class Article:
    """The article's network with one sample.

    Args:
        make: returns a fresh gradient. It is called twice and the second result is used: a call
            must not change the next one.
    """

    def __init__(self, make: Callable[[], Gradient]):
        self.make = make
        self.parameters = {name: variable(name) for name in Parameters._fields}
        self.given = {name: variable(name) for name in ("x1", "x2", "y")}
        # h1 and h2 change places.
        swapped: dict[str, str] = dict(zip(Parameters._fields, SWAPPED, strict=True))
        self.permutations = (swapped,)

    def loss(self, numbers: Mapping[str, Number]) -> Number:
        """See `Subject`."""
        return manual.article.loss(*self._given(numbers)).number

    def run(self, numbers: Mapping[str, Number]) -> Run:
        """See `Subject`."""
        params, x, y = self._given(numbers)
        gradient = self.make()
        gradient(params, x, y)
        grads = Parameters(*map(_number, gradient(params, x, y)))
        steps = manual.article.forward(params, x)._asdict()
        return Run(
            self.loss(numbers),
            grads._asdict(),
            {variable(name): _number(value) for name, value in steps.items()},
        )

    def _given(self, numbers: Mapping[str, Number]) -> tuple[Parameters, Array, Array]:
        params = Parameters(*(Array(numbers[name]) for name in self.parameters))
        return params, Array([numbers["x1"], numbers["x2"]]), Array(numbers["y"])


def _number(value: Any) -> Number:
    return value.number if isinstance(value, Array) else value
