"""The chain rule with factors that can be replaced.

The factors are computed in order, so the factors after a replaced one use the replacement, as they
would in real code.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import manual.article
from compare.planted.plant import NAMES, Derivative, Gradient
from manual.activations import sigmoid_derivative
from manual.article import Parameters

Factor = Callable[["Chain"], Any]


class Chain:
    """The forward values at one point and the factors of the chain rule, as attributes."""

    RULE: ClassVar[dict[str, Factor]] = {
        "dL_dypred": lambda c: -2 * (c.y - c.ypred),
        "dypred_dz3": lambda c: c.derivative(c.z3),
        "dypred_dw5": lambda c: c.dypred_dz3 * c.h1,
        "dypred_dw6": lambda c: c.dypred_dz3 * c.h2,
        "dypred_db3": lambda c: c.dypred_dz3,
        "dypred_dh1": lambda c: c.dypred_dz3 * c.w5,
        "dypred_dh2": lambda c: c.dypred_dz3 * c.w6,
        "dh1_dz1": lambda c: c.derivative(c.z1),
        "dh1_dw1": lambda c: c.dh1_dz1 * c.x1,
        "dh1_dw2": lambda c: c.dh1_dz1 * c.x2,
        "dh1_db1": lambda c: c.dh1_dz1,
        "dh2_dz2": lambda c: c.derivative(c.z2),
        "dh2_dw3": lambda c: c.dh2_dz2 * c.x1,
        "dh2_dw4": lambda c: c.dh2_dz2 * c.x2,
        "dh2_db2": lambda c: c.dh2_dz2,
        "dL_dw1": lambda c: c.dL_dypred * c.dypred_dh1 * c.dh1_dw1,
        "dL_dw2": lambda c: c.dL_dypred * c.dypred_dh1 * c.dh1_dw2,
        "dL_dw3": lambda c: c.dL_dypred * c.dypred_dh2 * c.dh2_dw3,
        "dL_dw4": lambda c: c.dL_dypred * c.dypred_dh2 * c.dh2_dw4,
        "dL_dw5": lambda c: c.dL_dypred * c.dypred_dw5,
        "dL_dw6": lambda c: c.dL_dypred * c.dypred_dw6,
        "dL_db1": lambda c: c.dL_dypred * c.dypred_dh1 * c.dh1_db1,
        "dL_db2": lambda c: c.dL_dypred * c.dypred_dh2 * c.dh2_db2,
        "dL_db3": lambda c: c.dL_dypred * c.dypred_db3,
    }

    def __init__(
        self,
        params: Parameters,
        x: Any,
        y: Any,
        derivative: Derivative,
        replaced: dict[str, Factor],
    ):
        self.__dict__ |= params._asdict() | {"x1": x[..., 0], "x2": x[..., 1], "y": y}
        self.__dict__ |= manual.article.forward(params, x)._asdict()
        self.derivative = derivative
        for name, rule in self.RULE.items():
            setattr(self, name, replaced.get(name, rule)(self))

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"the chain has no {name} at this link")

    def gradient(self) -> Parameters:
        """Return ∂L/∂w1 .. ∂L/∂b3."""
        return Parameters(*(getattr(self, f"dL_d{name}") for name in NAMES))


def chain(derivative: Derivative = sigmoid_derivative, **replaced: Factor) -> Gradient:
    """Return the gradient by the chain rule with factors replaced; `chain()` is right.

    Raises:
        ValueError: there is no factor of that name.
    """
    if unknown := set(replaced) - set(Chain.RULE):
        raise ValueError(f"chain: got the factors {sorted(unknown)}, expected some of Chain.RULE")
    return lambda params, x, y: Chain(params, x, y, derivative, replaced).gradient()
