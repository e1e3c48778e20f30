"""Lemmas: further claims about all real numbers, each proved or not."""

from collections.abc import Mapping
from dataclasses import dataclass

from compare.proof.arrays import Array
from compare.proof.cases import leaves
from compare.proof.field import Field
from compare.proof.number import Number
from compare.proof.subject import Subject
from manual.activations import SIGMOID_DERIVATIVES, sigmoid


@dataclass(frozen=True)
class Lemma:
    """A claim, with the result of its proof."""

    name: str
    says: str
    latex: str
    proved: bool


def equal(one: Number, other: Number | int) -> bool:
    """Whether two numbers are the same formula in every case."""
    return all(leaf == 0 for _, leaf in leaves((one - other).tree))


def slope_of_sigmoid() -> Lemma:
    """Prove σ′ = σ(1 - σ) = σ(z)σ(-z), for both forms of the hand-written lines."""
    field = Field(["z"], room=1)
    z = Array(Number(field, field.named["z"]))
    slope = Number(field, field.derivative(sigmoid(z).number.tree, "z"))
    forms = [form(z) for form in SIGMOID_DERIVATIVES.values()]
    forms += [sigmoid(z) * (1 - sigmoid(z)), sigmoid(z) * sigmoid(-z)]
    return Lemma(
        "sigmoid-derivative",
        "σ′(z) = σ(z)(1 - σ(z)) = σ(z)σ(-z)",
        r"\sigma'(z) = \sigma(z) \cdot (1 - \sigma(z)) = \sigma(z) \cdot \sigma(-z)",
        not field.unproved and all(equal(form.number, slope) for form in forms),
    )


def permuted_units(subject: Subject, numbers: Mapping[str, Number], loss: Number) -> bool:
    """Whether permuting hidden units leaves the loss unchanged.

    Checked for the subject's permutations, which generate all others. If L(Pθ) = L(θ), the chain
    rule says that the gradient is permuted as well.

    Args:
        subject: the hand-written lines, whose gradient has been proved.
        numbers: the symbols that they were run on.
        loss: the loss that they computed.
    """
    return all(
        equal(subject.loss({name: numbers[new.get(name, name)] for name in numbers}), loss)
        for new in subject.permutations
    )


def of_units(holds: bool) -> Lemma:
    """Return the lemma about permuted hidden units, which `permuted_units` decides."""
    return Lemma(
        "hidden-units",
        "hidden units that change places permute the gradient",
        r"L(P \theta) = L(\theta), \quad \nabla L(P \theta) = P \, \nabla L(\theta)",
        holds,
    )
