"""Mistakes in factors of the chain rule."""

from typing import Any

from compare.planted.chain import Chain, Factor, chain
from compare.planted.plant import FIRST, HIDDEN, NAMES, SECOND, Plant
from manual.arrays import namespace


def _links(says: str, wrong: tuple[str, ...], **replaced: Factor) -> Plant:
    return Plant(says, wrong, lambda derivative: chain(derivative, **replaced), replaced=replaced)


def _sign_of_error(c: Chain) -> Any:
    error = c.y - c.ypred
    return namespace(error).sign(error)


def _zero_where_small(c: Chain) -> Any:
    size = abs(c.x1 * c.dh1_dz1)
    whole = c.dL_dypred * c.dypred_dh1 * c.dh1_dw1
    return namespace(size).where(size < 1e-7, 0.0, whole)


def _zero_where_saturated(c: Chain) -> Any:
    slope = c.derivative(c.z1)
    return namespace(slope).where(c.h1 > 0.999999, 0.0, slope)


#: By slug; those of the loss first, then from the output back to the inputs.
LINKS: dict[str, Plant] = {
    "missing-square": _links(
        "the square of the loss is forgotten: ∂L/∂ypred is taken as -1",
        NAMES,
        dL_dypred=lambda c: 0 * c.y - 1.0,
    ),
    "half-mse": _links(
        "the 2 of the square is forgotten: ∂L/∂ypred is taken as -(y - ypred)",
        NAMES,
        dL_dypred=lambda c: -(c.y - c.ypred),
    ),
    "double-mean": _links(
        "∂L/∂ypred is divided by 4, the number of people, though the loss is that of one",
        NAMES,
        dL_dypred=lambda c: -2 * (c.y - c.ypred) / 4,
    ),
    "residual-sign": _links(
        "the minus in front is lost: ∂L/∂ypred is taken as 2(y - ypred)",
        NAMES,
        dL_dypred=lambda c: 2 * (c.y - c.ypred),
    ),
    "absolute-error": _links(
        "|y - ypred| is differentiated, not its square: ∂L/∂ypred is only ever 1 or -1",
        NAMES,
        dL_dypred=lambda c: -_sign_of_error(c),
    ),
    "cross-entropy-shortcut": _links(
        "∂L/∂z3 is taken as ypred - y, which is right for the cross-entropy, not for the square",
        NAMES,
        dL_dypred=lambda c: c.ypred - c.y,
        dypred_dz3=lambda c: 1 + 0 * c.z3,
    ),
    "no-activation-derivative-output": _links(
        "σ' is forgotten at the output: ∂ypred/∂z3 is taken as 1",
        NAMES,
        dypred_dz3=lambda c: 1 + 0 * c.z3,
    ),
    "no-activation-derivative-hidden": _links(
        "σ' is forgotten at h1: ∂h1/∂z1 is taken as 1",
        FIRST,
        dh1_dz1=lambda c: 1 + 0 * c.z1,
    ),
    "activation-derivative-twice": _links(
        "σ'(z3) is multiplied in twice",
        NAMES,
        dL_dypred=lambda c: -2 * (c.y - c.ypred) * c.derivative(c.z3),
    ),
    "sigmoid-of-z": _links(
        "σ' = f(1 - f) is filled in with z1 in place of f: z1(1 - z1)",
        FIRST,
        dh1_dz1=lambda c: c.z1 * (1 - c.z1),
    ),
    "sigmoid-of-activation": _links(
        "σ' is taken at h2 instead of z2", SECOND, dh2_dz2=lambda c: c.derivative(c.h2)
    ),
    "tanh-derivative": _links(
        "the derivative of tanh is taken for that of σ: ∂h1/∂z1 as 1 - h1²",
        FIRST,
        dh1_dz1=lambda c: 1 - c.h1 * c.h1,
    ),
    "minus-missing": _links(
        "the minus in f(1 - f) becomes a plus: ∂h2/∂z2 is taken as h2(1 + h2)",
        SECOND,
        dh2_dz2=lambda c: c.h2 * (1 + c.h2),
    ),
    "derivative-at-another-unit": _links(
        "σ' of h2 is taken at the sum of the other hidden unit, z1 instead of z2",
        SECOND,
        dh2_dz2=lambda c: c.derivative(c.z1),
    ),
    "derivative-at-another-layer": _links(
        "σ' of the output is taken at the sum of a hidden unit, z1 instead of z3",
        NAMES,
        dypred_dz3=lambda c: c.derivative(c.z1),
    ),
    "dx-untransposed": _links(
        "on the way back h1 is given the weight of h2, w6, and h2 that of h1, w5",
        HIDDEN,
        dypred_dh1=lambda c: c.dypred_dz3 * c.w6,
        dypred_dh2=lambda c: c.dypred_dz3 * c.w5,
    ),
    "dw-transposed": _links(
        "∂L/∂w2 and ∂L/∂w3 are exchanged, as by a transposed matrix of weights",
        ("w2", "w3"),
        dL_dw2=lambda c: c.dL_dypred * c.dypred_dh2 * c.dh2_dw3,
        dL_dw3=lambda c: c.dL_dypred * c.dypred_dh1 * c.dh1_dw2,
    ),
    "dw-after-activation": _links(
        "w1 weighs x1, but its derivative is given h1, what came out of the unit",
        ("w1",),
        dh1_dw1=lambda c: c.dh1_dz1 * c.h1,
    ),
    "dw-before-activation": _links(
        "w5 weighs h1, but its derivative is given z1, what h1 was before its activation",
        ("w5",),
        dypred_dw5=lambda c: c.dypred_dz3 * c.z1,
    ),
    "wrong-input": _links(
        "w4 weighs x2, but its derivative is given x1",
        ("w4",),
        dh2_dw4=lambda c: c.dh2_dz2 * c.x1,
    ),
    "everything-through-h1": _links(
        "w3, w4 and b2 are led to the loss through h1, though they act through h2",
        SECOND,
        dypred_dh2=lambda c: c.dypred_dh1,
        dh2_dz2=lambda c: c.dh1_dz1,
    ),
    "hidden-factor-in-w5": _links(
        "w5 is given the derivative of w1, through h1, though it acts on the output itself",
        ("w5",),
        dL_dw5=lambda c: c.dL_dypred * c.dypred_dh1 * c.dh1_dw1,
    ),
    "dropped-term-w5": _links(
        "w5 is left out on the way back: ∂ypred/∂h1 is taken as σ'(z3)",
        FIRST,
        dypred_dh1=lambda c: c.dypred_dz3,
    ),
    "dropped-term-loss": _links(
        "∂L/∂ypred is left out of the product for b2",
        ("b2",),
        dL_db2=lambda c: c.dypred_dh2 * c.dh2_db2,
    ),
    "zeroed-element": _links("∂L/∂w1 is always 0", ("w1",), dL_dw1=lambda c: 0 * c.x1),
    "small-elements-zeroed": _links(
        "∂L/∂w1 is set to 0 where it is small: where |x1 σ'(z1)| is below 1e-7",
        ("w1",),
        dL_dw1=_zero_where_small,
    ),
    "saturated-unit-zeroed": _links(
        "h1 is taken for saturated where it is above 0.999999: there ∂h1/∂z1 is set to 0",
        FIRST,
        dh1_dz1=_zero_where_saturated,
    ),
    "bias-takes-input": _links(
        "b1 is treated like w1: its derivative is multiplied by x1",
        ("b1",),
        dh1_db1=lambda c: c.dh1_dz1 * c.x1,
    ),
    "bias-without-derivative": _links(
        "σ' is forgotten for b3 alone: ∂ypred/∂b3 is taken as 1",
        ("b3",),
        dypred_db3=lambda c: 1 + 0 * c.z3,
    ),
}
