"""How the quantities of a network are written, as text and in LaTeX."""

import re
from collections.abc import Iterable
from typing import NamedTuple


class Symbol(NamedTuple):
    """How a quantity is written, as text and in LaTeX."""

    text: str
    latex: str


def variable(name: str) -> Symbol:
    """A variable of the article's lines: w1, h1 or ypred."""
    if name == "ypred":
        return Symbol(name, r"y_{\text{pred}}")
    return Symbol(name, re.sub(r"(\d+)$", r"_\1", name))


def element(letter: str, layer: int | None, indices: Iterable[int]) -> Symbol:
    """An element of an array of a layer, w0[2,1]; in LaTeX the layer is a superscript."""
    listed = ",".join(map(str, indices))
    if layer is None:
        return Symbol(f"{letter}[{listed}]", f"{letter}_{{{listed}}}")
    return Symbol(f"{letter}{layer}[{listed}]", f"{letter}^{{({layer})}}_{{{listed}}}")
