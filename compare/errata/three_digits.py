"""An erratum on the worked example: rounding intermediate results loses digits."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import manual.article
from compare.errata.entry import Shown, erratum
from compare.errata.example import ALICE
from manual.activations import sigmoid, sigmoid_derivative
from manual.article import Parameters, forward_lines, gradient_lines


def three(value: float) -> float:
    """Round a value to three significant digits."""
    return float(f"{value:.3g}")


@dataclass(frozen=True)
class Rounded:
    """A number that is rounded to three digits after every operation, as on a sheet of paper.

    The article's lines run on it as they stand.
    """

    value: float

    def __add__(self, other: Any) -> "Rounded":
        return _rounded(self.value + _value(other))

    def __sub__(self, other: Any) -> "Rounded":
        return _rounded(self.value - _value(other))

    def __mul__(self, other: Any) -> "Rounded":
        return _rounded(self.value * _value(other))

    __rmul__ = __mul__


def _rounded(value: float) -> Rounded:
    return Rounded(three(value))


def _value(number: Any) -> float:
    return number.value if isinstance(number, Rounded) else float(number)


@erratum(
    22,
    title="Rounded on the way",
    section="Backpropagation, the worked example of the blog that it follows",
    printed="h1 + h2 = 0.0948, ∂L/∂y_pred = −0.952, ∂L/∂w1 = 0.0214",
    right="h1 + h2 = 0.0949, ∂L/∂y_pred = −0.953, ∂L/∂w1 = 0.0215",
    why="Each number was rounded to three digits before the next was computed from it. Half a unit "
    "lost in h1 is a whole one in h1 + h2, and so on to the end. Keep all digits, and round what "
    "you print.",
    printed_latex=r"\frac{\partial L}{\partial w_1} = 0.0214",
    right_latex=r"\frac{\partial L}{\partial w_1} = 0.0215",
)
def rounded_on_the_way() -> Shown:
    """Run the example twice with the same lines: on numbers of three digits, and on all digits."""
    start, ((x1, x2), y) = manual.article.ones_parameters(), ALICE
    on_paper = _example(
        Parameters(*map(_rounded, start)),
        *map(_rounded, (x1, x2, y)),
        sigmoid=lambda z: _rounded(float(sigmoid(z.value))),
        derivative=lambda z: _rounded(float(sigmoid_derivative(z.value))),
    )
    full = _example(start, x1, x2, y, sigmoid=sigmoid, derivative=sigmoid_derivative)
    at_the_end = {name: three(value) for name, value in full.items()}
    wrong = [name for name in full if on_paper[name] != at_the_end[name]]
    return Shown(
        ("Alice", "rounded on the way", "at the end", "all digits"),
        tuple((name, on_paper[name], at_the_end[name], full[name]) for name in full),
        f"The third digit is wrong in {len(wrong)} of {len(full)} numbers: {', '.join(wrong)}.",
        {"on_the_way": on_paper, "at_the_end": at_the_end, "full": full},
        digits=9,
    )


def _example(
    params: Parameters,
    x1: Any,
    x2: Any,
    y: Any,
    sigmoid: Callable[[Any], Any],
    derivative: Callable[[Any], Any],
) -> dict[str, float]:
    """Compute the worked example on numbers of any type."""
    steps = forward_lines(params, x1, x2, sigmoid)
    grads = gradient_lines(params, x1, x2, y, steps, derivative)
    computed = {
        "h1": steps.h1,
        "h1 + h2": steps.z3,
        "y_pred": steps.ypred,
        "∂L/∂y_pred": (y - steps.ypred) * -2,
        "σ′(h1 + h2)": derivative(steps.z3),
        "∂L/∂w1": grads.w1,
    }
    return {name: _value(number) for name, number in computed.items()}
