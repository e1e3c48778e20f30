"""Mistakes in factors of the chain rule: `manual.article.gradient` with one place edited.

An edit is a text that occurs once in the lines, and its replacement; the lines after it use its
result, as they would in real code.
"""

from functools import partial

import manual.article
from models.edits import Edit, edited
from models.planted.plant import FIRST, HIDDEN, NAMES, SECOND, Derivative, Gradient, Plant


def _link(says: str, wrong: tuple[str, ...], *edits: Edit) -> Plant:
    def make(derivative: Derivative) -> Gradient:
        return partial(edited(manual.article.gradient, *edits), derivative=derivative)

    return Plant(says, wrong, make, edits=edits)


#: The lines that most mistakes replace.
LOSS, OUTPUT = "dL_dypred = -2 * (y - ypred)", "dypred_dz3 = derivative(z3)"
H1, H2 = "dh1_dz1 = derivative(z1)", "dh2_dz2 = derivative(z2)"
W1 = "dL_dw1 = dL_dypred * dypred_dh1 * dh1_dw1"

#: By slug; those of the loss first, then from the output back to the inputs.
LINKS: dict[str, Plant] = {
    "missing-square": _link(
        "the square of the loss is forgotten: ∂L/∂ypred is taken as -1",
        NAMES,
        (LOSS, "dL_dypred = 0 * y - 1.0"),
    ),
    "half-mse": _link(
        "the 2 of the square is forgotten: ∂L/∂ypred is taken as -(y - ypred)",
        NAMES,
        (LOSS, "dL_dypred = -(y - ypred)"),
    ),
    "double-mean": _link(
        "∂L/∂ypred is divided by 4, the number of people, though the loss is that of one",
        NAMES,
        (LOSS, f"{LOSS} / 4"),
    ),
    "residual-sign": _link(
        "the minus in front is lost: ∂L/∂ypred is taken as 2(y - ypred)",
        NAMES,
        (LOSS, "dL_dypred = 2 * (y - ypred)"),
    ),
    "absolute-error": _link(
        "|y - ypred| is differentiated, not its square: ∂L/∂ypred is only ever 1 or -1",
        NAMES,
        (LOSS, "dL_dypred = -namespace(ypred).sign(y - ypred)"),
    ),
    "cross-entropy-shortcut": _link(
        "∂L/∂z3 is taken as ypred - y, which is right for the cross-entropy, not for the square",
        NAMES,
        (LOSS, "dL_dypred = ypred - y"),
        (OUTPUT, "dypred_dz3 = 1 + 0 * z3"),
    ),
    "no-activation-derivative-output": _link(
        "σ' is forgotten at the output: ∂ypred/∂z3 is taken as 1",
        NAMES,
        (OUTPUT, "dypred_dz3 = 1 + 0 * z3"),
    ),
    "no-activation-derivative-hidden": _link(
        "σ' is forgotten at h1: ∂h1/∂z1 is taken as 1",
        FIRST,
        (H1, "dh1_dz1 = 1 + 0 * z1"),
    ),
    "activation-derivative-twice": _link(
        "σ'(z3) is multiplied in twice",
        NAMES,
        (LOSS, f"{LOSS} * derivative(z3)"),
    ),
    "sigmoid-of-z": _link(
        "σ' = f(1 - f) is filled in with z1 in place of f: z1(1 - z1)",
        FIRST,
        (H1, "dh1_dz1 = z1 * (1 - z1)"),
    ),
    "sigmoid-of-activation": _link(
        "σ' is taken at h2 instead of z2",
        SECOND,
        (H2, "dh2_dz2 = derivative(h2)"),
    ),
    "tanh-derivative": _link(
        "the derivative of tanh is taken for that of σ: ∂h1/∂z1 as 1 - h1²",
        FIRST,
        (H1, "dh1_dz1 = 1 - h1 * h1"),
    ),
    "minus-missing": _link(
        "the minus in f(1 - f) becomes a plus: ∂h2/∂z2 is taken as h2(1 + h2)",
        SECOND,
        (H2, "dh2_dz2 = h2 * (1 + h2)"),
    ),
    "derivative-at-another-unit": _link(
        "σ' of h2 is taken at the sum of the other hidden unit, z1 instead of z2",
        SECOND,
        (H2, "dh2_dz2 = derivative(z1)"),
    ),
    "derivative-at-another-layer": _link(
        "σ' of the output is taken at the sum of a hidden unit, z1 instead of z3",
        NAMES,
        (OUTPUT, "dypred_dz3 = derivative(z1)"),
    ),
    "dx-untransposed": _link(
        "on the way back h1 is given the weight of h2, w6, and h2 that of h1, w5",
        HIDDEN,
        ("dypred_dh1 = dypred_dz3 * w5", "dypred_dh1 = dypred_dz3 * w6"),
        ("dypred_dh2 = dypred_dz3 * w6", "dypred_dh2 = dypred_dz3 * w5"),
    ),
    "dw-transposed": _link(
        "∂L/∂w2 and ∂L/∂w3 are exchanged, as by a transposed matrix of weights",
        ("w2", "w3"),
        ("return Parameters(dL_dw1, dL_dw2, dL_dw3,", "return Parameters(dL_dw1, dL_dw3, dL_dw2,"),
    ),
    "dw-after-activation": _link(
        "w1 weighs x1, but its derivative is given h1, what came out of the unit",
        ("w1",),
        ("dh1_dw1 = dh1_dz1 * x1", "dh1_dw1 = dh1_dz1 * h1"),
    ),
    "dw-before-activation": _link(
        "w5 weighs h1, but its derivative is given z1, what h1 was before its activation",
        ("w5",),
        ("dypred_dw5 = dypred_dz3 * h1", "dypred_dw5 = dypred_dz3 * z1"),
    ),
    "wrong-input": _link(
        "w4 weighs x2, but its derivative is given x1",
        ("w4",),
        ("dh2_dw4 = dh2_dz2 * x2", "dh2_dw4 = dh2_dz2 * x1"),
    ),
    "everything-through-h1": _link(
        "w3, w4 and b2 are led to the loss through h1, though they act through h2",
        SECOND,
        ("dypred_dh2 = dypred_dz3 * w6", "dypred_dh2 = dypred_dh1"),
        (H2, "dh2_dz2 = derivative(z1)"),
    ),
    "hidden-factor-in-w5": _link(
        "w5 is given the derivative of w1, through h1, though it acts on the output itself",
        ("w5",),
        (W1, f"{W1}\ndL_dw5 = dL_dw1"),
    ),
    "dropped-term-w5": _link(
        "w5 is left out on the way back: ∂ypred/∂h1 is taken as σ'(z3)",
        FIRST,
        ("dypred_dh1 = dypred_dz3 * w5", "dypred_dh1 = dypred_dz3"),
    ),
    "dropped-term-loss": _link(
        "∂L/∂ypred is left out of the product for b2",
        ("b2",),
        ("dL_db2 = dL_dypred * dypred_dh2 * dh2_db2", "dL_db2 = dypred_dh2 * dh2_db2"),
    ),
    "zeroed-element": _link(
        "∂L/∂w1 is always 0",
        ("w1",),
        (W1, "dL_dw1 = 0 * x1"),
    ),
    "small-elements-zeroed": _link(
        "∂L/∂w1 is set to 0 where it is small: where |x1 σ'(z1)| is below 1e-7",
        ("w1",),
        (
            W1,
            f"{W1}\nsmall = abs(x1 * dh1_dz1) < 1e-7\n"
            "dL_dw1 = namespace(dL_dw1).where(small, 0.0, dL_dw1)",
        ),
    ),
    "saturated-unit-zeroed": _link(
        "h1 is taken for saturated where it is above 0.999999: there ∂h1/∂z1 is set to 0",
        FIRST,
        (H1, f"{H1}\ndh1_dz1 = namespace(h1).where(h1 > 0.999999, 0.0, dh1_dz1)"),
    ),
    "bias-takes-input": _link(
        "b1 is treated like w1: its derivative is multiplied by x1",
        ("b1",),
        ("dh1_db1 = dh1_dz1", "dh1_db1 = dh1_dz1 * x1"),
    ),
    "bias-without-derivative": _link(
        "σ' is forgotten for b3 alone: ∂ypred/∂b3 is taken as 1",
        ("b3",),
        ("dypred_db3 = dypred_dz3", "dypred_db3 = 1 + 0 * z3"),
    ),
}
