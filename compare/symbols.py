"""How the quantities of a network are written, as text and in LaTeX."""

from collections.abc import Iterable
from typing import NamedTuple


class Symbol(NamedTuple):
    """How a quantity is written, as text and in LaTeX."""

    text: str
    latex: str


def element(letter: str, layer: int | None, indices: Iterable[int]) -> Symbol:
    """An element of an array of a layer, w0[2,1]; in LaTeX the layer is a superscript."""
    listed = ",".join(map(str, indices))
    if layer is None:
        return Symbol(f"{letter}[{listed}]", f"{letter}_{{{listed}}}")
    return Symbol(f"{letter}{layer}[{listed}]", f"{letter}^{{({layer})}}_{{{listed}}}")
