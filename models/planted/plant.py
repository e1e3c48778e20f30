"""The type of a planted mistake."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import manual.article
import manual.sgd
from manual.activations import SIGMOID_DERIVATIVES, sigmoid_derivative
from models.edits import Edit

#: (params, x, y) -> nine partial derivatives.
Gradient = Callable[[Any, Any, Any], Any]

#: σ' as a function of z: one of the two forms of `manual.activations`.
Derivative = Callable[[Any], Any]

#: (params, xs, ys, gradient, learning_rate, order) -> the parameters after each update.
Loop = Callable[..., Iterator[Any]]

NAMES = manual.article.Parameters._fields
HIDDEN = ("w1", "w2", "w3", "w4", "b1", "b2")  # by way of a hidden unit
FIRST = ("w1", "w2", "b1")  # by way of h1
SECOND = ("w3", "w4", "b2")  # by way of h2
WEIGHTS = ("w1", "w2", "w3", "w4", "w5", "w6")


def right(derivative: Derivative) -> Gradient:
    """Return the right gradient with that form of σ'."""
    return partial(manual.article.gradient, derivative=derivative)


@dataclass(frozen=True)
class Plant:
    """A mistake: in the gradient, or in the training loop around a right gradient."""

    says: str  #: the mistake in one sentence without its full stop
    wrong: tuple[str, ...]  #: the parameters whose derivative, or whose update, is wrong
    make: Callable[[Derivative], Gradient] = right  #: (form of σ') -> the gradient
    #: (form of σ') -> the training loop; None for the right one.
    loop: Callable[[Derivative], Loop] | None = None
    edits: tuple[Edit, ...] = ()  #: of lines of the chain rule; none where it is around them
    #: What to show of a mistake around them: a text of the right code, and what is there instead.
    shown: tuple[Edit, ...] = ()

    @property
    def kind(self) -> str:
        """`gradient` or `training`: where the mistake is."""
        return "training" if self.loop else "gradient"

    @property
    def gradient(self) -> Gradient:
        """A fresh gradient with the stable form of σ'."""
        return self.make(sigmoid_derivative)

    @property
    def train(self) -> Loop:
        """The training loop with the stable form of σ'."""
        return self.train_in("stable")

    def gradient_in(self, form: str) -> Gradient:
        """Return a fresh gradient with the named form of σ', `stable` or `article`."""
        return self.make(SIGMOID_DERIVATIVES[form])

    def train_in(self, form: str) -> Loop:
        """Return the training loop with the named form of σ'."""
        return self.loop(SIGMOID_DERIVATIVES[form]) if self.loop else manual.sgd.train
