"""What the numbers of a pass stand for, and what follows from that: name, symbol and kind.

In the article's network every number has a name of its own, such as z1; in others it is an element
of an array, such as z0[1]. Layers, units and inputs are then counted from 0, as the arrays are:
z0[1] is the pre-activation of the second unit of the first layer, w0[2,1] its weight of the third
input.
"""

import re
from typing import NamedTuple

from compare.trace import FACTOR, GRADIENT, INPUT, LOSS, PARAMETER, UPDATE, VALUE

#: The loss, and the loss without λ Σ w².
WHOLE, OF_DATA = "L", "L_data"

_LATEX = {"ypred": r"y_{\text{pred}}", OF_DATA: r"L_{\text{data}}", "η": r"\eta", "λ": r"\lambda"}

_KINDS = {"w": PARAMETER, "b": PARAMETER, "z": VALUE, "h": VALUE, "a": VALUE, "L": LOSS}


class Symbol(NamedTuple):
    """How a quantity is written, as text and in LaTeX."""

    text: str
    latex: str


class Value(NamedTuple):
    """An element of an array: of inputs, of parameters, or of an intermediate value."""

    of: str
    at: tuple[int, ...] = ()

    @property
    def symbol(self) -> Symbol:
        """Its symbol, z0[1]; x, y, z and a have a row for each example, of which there is one.

        In LaTeX the layer is a superscript.
        """
        if not self.at:
            return Symbol(self.of, _LATEX.get(self.of) or re.sub(r"(\d+)$", r"_\1", self.of))
        letter, layer = self.of[0], self.of[1:]
        indices = ",".join(map(str, self.at[letter in "xyza" :]))
        above = f"^{{({layer})}}" if layer else ""
        return Symbol(f"{self.of}[{indices}]", f"{letter}{above}_{{{indices}}}")

    @property
    def name(self) -> str:
        """Its name, which is its symbol as text."""
        return self.symbol.text

    @property
    def kind(self) -> str:
        """Its kind, which the letter tells."""
        return VALUE if self.of == "ypred" else _KINDS.get(self.of[0], INPUT)


class Derivative(NamedTuple):
    """The partial derivative of one number by an earlier one."""

    of: Value
    by: Value

    @property
    def name(self) -> str:
        """Its name: dL_dw1; in a network of arrays dw0[2,1], dw0[2,1]_data, da_dz0[1]."""
        if not self.by.at:
            return f"d{self.of.name}_d{self.by.name}"
        if self.of.at:
            return f"d{self.of.of[0]}_d{self.by.name}"
        return f"d{self.by.name}{'_data' * (self.of.of == OF_DATA)}"

    @property
    def symbol(self) -> Symbol:
        """∂of/∂by."""
        of, by = self.of.symbol, self.by.symbol
        latex = rf"\frac{{\partial {of.latex}}}{{\partial {by.latex}}}"
        return Symbol(f"∂{of.text}/∂{by.text}", latex)

    @property
    def kind(self) -> str:
        """Whether it is a gradient's element, or a factor of one."""
        return GRADIENT if self.of.of == WHOLE and self.by.kind == PARAMETER else FACTOR


class Updated(NamedTuple):
    """A parameter after one step of descent."""

    of: Value
    kind = UPDATE

    @property
    def name(self) -> str:
        """Its name."""
        return f"{self.of.name}_new"

    @property
    def symbol(self) -> Symbol:
        """Its symbol; one with a superscript needs braces before another."""
        text, latex = self.of.symbol
        base = f"{{{latex}}}" if self.of.at else latex
        return Symbol(f"{text} new", rf"{base}^{{\text{{new}}}}")


Meaning = Value | Derivative | Updated
