"""Wrong derivations that people really write. Each must be caught, and only where it is wrong.

A plant is the right chain rule with some of its factors replaced. `Chain` computes the factors one
after the other, so a replaced factor is used by the factors after it, as it would be in real code.
"""

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import numpy as np

import manual.article
from compare.agreement import NAMES, Gradient, stack
from manual.activations import sigmoid_derivative
from manual.article import Parameters

Factor = Callable[["Chain"], Any]


class Chain:
    """The forward values of one point and, by name, the factors of the chain rule."""

    RULE: ClassVar[dict[str, Factor]] = {
        "dL_dypred": lambda c: -2 * (c.y - c.ypred),
        "dypred_dz3": lambda c: sigmoid_derivative(c.z3),
        "dypred_dw5": lambda c: c.dypred_dz3 * c.h1,
        "dypred_dw6": lambda c: c.dypred_dz3 * c.h2,
        "dypred_db3": lambda c: c.dypred_dz3,
        "dypred_dh1": lambda c: c.dypred_dz3 * c.w5,
        "dypred_dh2": lambda c: c.dypred_dz3 * c.w6,
        "dh1_dz1": lambda c: sigmoid_derivative(c.z1),
        "dh1_dw1": lambda c: c.dh1_dz1 * c.x1,
        "dh1_dw2": lambda c: c.dh1_dz1 * c.x2,
        "dh1_db1": lambda c: c.dh1_dz1,
        "dh2_dz2": lambda c: sigmoid_derivative(c.z2),
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

    def __init__(self, params: Parameters, x: Any, y: Any, replaced: dict[str, Factor]):
        self.__dict__ |= params._asdict() | {"x1": x[..., 0], "x2": x[..., 1], "y": y}
        self.__dict__ |= manual.article.forward(params, x)._asdict()
        self.x, self.params = x, params
        for name, rule in self.RULE.items():
            setattr(self, name, replaced.get(name, rule)(self))

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"the chain has no {name} at this link")

    def gradient(self) -> Parameters:
        return Parameters(*(getattr(self, f"dL_d{name}") for name in NAMES))


class Plant(NamedTuple):
    """A wrong gradient, and the parameters whose derivative it gets wrong."""

    gradient: Gradient
    wrong: tuple[str, ...]


def chain(**replaced: Factor) -> Gradient:
    """The chain rule with factors replaced; `chain()` is right."""
    return lambda params, x, y: Chain(params, x, y, replaced).gradient()


def _after(change: Callable[[Parameters, Parameters], Any]) -> Gradient:
    """The right gradient, then `change(params, grads)`."""
    return lambda params, x, y: Parameters(*change(params, manual.article.gradient(params, x, y)))


def _accumulates() -> Gradient:
    """Adds to the same array at every call, as a gradient buffer that nobody zeroes does."""
    total: list[np.ndarray] = []

    def gradient(params: Parameters, x: Any, y: Any) -> Parameters:
        total.append(stack(manual.article.gradient(params, x, y)))
        return Parameters(*np.sum(total, axis=0))

    return gradient


def _in_float32(params: Parameters, x: Any, y: Any) -> Parameters:
    single = (np.asarray(value, dtype=np.float32) for value in params)
    return manual.article.gradient(Parameters(*single), np.float32(x), np.float32(y))


def _central_difference(params: Parameters, x: Any, y: Any) -> Parameters:
    def slope(name: str) -> Any:
        step = 1e-6
        up = params._replace(**{name: getattr(params, name) + step})
        down = params._replace(**{name: getattr(params, name) - step})
        return (manual.article.loss(up, x, y) - manual.article.loss(down, x, y)) / (2 * step)

    return Parameters(*map(slope, NAMES))


def _forgets_biases(params: Parameters, x: Any, y: Any) -> Parameters:
    zero = 0 * params.b1
    return manual.article.gradient(params._replace(b1=zero, b2=zero, b3=zero), x, y)


def _swaps_inputs(params: Parameters, x: Any, y: Any) -> Parameters:
    return manual.article.gradient(params, x[..., ::-1], y)


HIDDEN = ("w1", "w2", "w3", "w4", "b1", "b2")
FIRST = ("w1", "w2", "b1")
SECOND = ("w3", "w4", "b2")
WEIGHTS = ("w1", "w2", "w3", "w4", "w5", "w6")

#: By slug. The slugs of the catalogue of kinds are used where it has the mistake.
PLANTS: dict[str, Plant] = {
    "missing-square": Plant(chain(dL_dypred=lambda c: 0 * c.y - 1.0), NAMES),
    "half-mse": Plant(chain(dL_dypred=lambda c: -(c.y - c.ypred)), NAMES),
    "double-mean": Plant(chain(dL_dypred=lambda c: -2 * (c.y - c.ypred) / 4), NAMES),
    "residual-sign": Plant(chain(dL_dypred=lambda c: 2 * (c.y - c.ypred)), NAMES),
    "absolute-error": Plant(chain(dL_dypred=lambda c: -np.sign(c.y - c.ypred)), NAMES),
    "cross-entropy-shortcut": Plant(
        chain(dL_dypred=lambda c: c.ypred - c.y, dypred_dz3=lambda c: 1 + 0 * c.z3), NAMES
    ),
    "no-activation-derivative-output": Plant(chain(dypred_dz3=lambda c: 1 + 0 * c.z3), NAMES),
    "no-activation-derivative-hidden": Plant(chain(dh1_dz1=lambda c: 1 + 0 * c.z1), FIRST),
    "activation-derivative-twice": Plant(
        chain(dL_dypred=lambda c: -2 * (c.y - c.ypred) * sigmoid_derivative(c.z3)), NAMES
    ),
    "sigmoid-of-z": Plant(chain(dh1_dz1=lambda c: c.z1 * (1 - c.z1)), FIRST),
    "sigmoid-of-activation": Plant(chain(dh2_dz2=lambda c: sigmoid_derivative(c.h2)), SECOND),
    "tanh-derivative": Plant(chain(dh1_dz1=lambda c: 1 - c.h1 * c.h1), FIRST),
    "minus-missing": Plant(chain(dh2_dz2=lambda c: c.h2 * (1 + c.h2)), SECOND),
    "derivative-at-another-unit": Plant(chain(dh2_dz2=lambda c: sigmoid_derivative(c.z1)), SECOND),
    "derivative-at-another-layer": Plant(
        chain(dypred_dz3=lambda c: sigmoid_derivative(c.z1)), NAMES
    ),
    "dx-untransposed": Plant(
        chain(dypred_dh1=lambda c: c.dypred_dz3 * c.w6, dypred_dh2=lambda c: c.dypred_dz3 * c.w5),
        HIDDEN,
    ),
    "dw-transposed": Plant(
        chain(
            dL_dw2=lambda c: c.dL_dypred * c.dypred_dh2 * c.dh2_dw3,
            dL_dw3=lambda c: c.dL_dypred * c.dypred_dh1 * c.dh1_dw2,
        ),
        ("w2", "w3"),
    ),
    "dw-after-activation": Plant(chain(dh1_dw1=lambda c: c.dh1_dz1 * c.h1), ("w1",)),
    "dw-before-activation": Plant(chain(dypred_dw5=lambda c: c.dypred_dz3 * c.z1), ("w5",)),
    "wrong-input": Plant(chain(dh2_dw4=lambda c: c.dh2_dz2 * c.x1), ("w4",)),
    "inputs-swapped": Plant(_swaps_inputs, NAMES),
    "everything-through-h1": Plant(
        chain(
            dypred_dh2=lambda c: c.dypred_dh1,
            dh2_dz2=lambda c: c.dh1_dz1,
        ),
        SECOND,
    ),
    "hidden-factor-in-w5": Plant(
        chain(dL_dw5=lambda c: c.dL_dypred * c.dypred_dh1 * c.dh1_dw1), ("w5",)
    ),
    "dropped-term-w5": Plant(chain(dypred_dh1=lambda c: c.dypred_dz3), FIRST),
    "dropped-term-loss": Plant(chain(dL_db2=lambda c: c.dypred_dh2 * c.dh2_db2), ("b2",)),
    "zeroed-element": Plant(chain(dL_dw1=lambda c: 0 * c.x1), ("w1",)),
    "small-elements-zeroed": Plant(
        chain(
            dL_dw1=lambda c: np.where(
                abs(c.x1 * c.dh1_dz1) < 1e-7, 0.0, c.dL_dypred * c.dypred_dh1 * c.dh1_dw1
            )
        ),
        ("w1",),
    ),
    "exchanged": Plant(_after(lambda _, g: g._replace(w5=g.w6, w6=g.w5)), ("w5", "w6")),
    "order-of-parameters": Plant(_after(lambda _, g: (*g[6:], *g[:6])), NAMES),
    "bias-takes-input": Plant(chain(dh1_db1=lambda c: c.dh1_dz1 * c.x1), ("b1",)),
    "bias-without-derivative": Plant(chain(dypred_db3=lambda c: 1 + 0 * c.z3), ("b3",)),
    "bias-forgotten-in-forward": Plant(_forgets_biases, NAMES),
    "decay-factor": Plant(
        _after(
            lambda p, g: g._replace(**{n: getattr(g, n) + 1e-4 * getattr(p, n) for n in WEIGHTS})
        ),
        WEIGHTS,
    ),
    "clipped": Plant(_after(lambda _, g: (np.clip(part, -0.01, 0.01) for part in g)), NAMES),
    "learning-rate-inside": Plant(_after(lambda _, g: (0.1 * part for part in g)), NAMES),
    "off-by-a-millionth": Plant(_after(lambda _, g: g._replace(w6=g.w6 * (1 + 1e-6))), ("w6",)),
    "off-by-1e-12": Plant(_after(lambda _, g: g._replace(b3=g.b3 * (1 + 1e-12))), ("b3",)),
    "not-a-number": Plant(_after(lambda _, g: g._replace(w2=g.w2 * np.nan)), ("w2",)),
    "accumulates": Plant(_accumulates(), NAMES),
    "float32": Plant(_in_float32, NAMES),
    "central-difference": Plant(_central_difference, NAMES),
}
