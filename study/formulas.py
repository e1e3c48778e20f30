"""Convert formulas to MathML, with placeholders that the page's script fills."""

import re
from functools import cache
from xml.etree import ElementTree

from latex2mathml.converter import convert

#: `compare.trace.place` after the conversion.
_PLACE = re.compile(r"«(.+)»")

_SPACE = "{http://www.w3.org/1998/Math/MathML}"

#: Operators before which a negative number needs brackets.
_OPERATORS = {"+", "−", "·", "/", "-", ">", "≥"}

#: The bars of absolute values and of norms.
_BARS = ("|", "‖")


@cache
def mathml(latex: str, display: str = "inline") -> str:
    """Convert an equation in LaTeX to a `math` element.

    Where `latex` has a place for a number there is `<mrow data-place="w1">`; one whose number needs
    brackets when it is negative has `data-brackets` as well.
    """
    ElementTree.register_namespace("", _SPACE.strip("{}"))
    # The converter knows this unnumbered environment under another name only.
    latex = latex.replace("{aligned}", "{align*}")
    root = ElementTree.fromstring(convert(latex, display=display))
    for parent in list(root.iter()):
        for at, child in enumerate(parent):
            if child.tag == f"{_SPACE}mtext" and (found := _PLACE.fullmatch(child.text or "")):
                child.tag, child.text = f"{_SPACE}mrow", None
                child.set("data-place", found.group(1))
                if _needs_brackets(parent, at):
                    child.set("data-brackets", "")
            if child.text in _BARS:  # two would otherwise be taken for operators with space
                child.set("lspace", "0")
                child.set("rspace", "0")
            if child.text == _BARS[1]:  # nor is it known which is the first and which the second
                child.set("stretchy", "false")
    root.attrib.pop("xmlns", None)
    text = ElementTree.tostring(root, encoding="unicode")
    return text.replace(f' xmlns="{_SPACE.strip("{}")}"', "")


def _needs_brackets(parent: ElementTree.Element, at: int) -> bool:
    """Whether a negative number needs brackets: as base of a power, or after an operator."""
    if parent.tag == f"{_SPACE}msup":
        return at == 0
    return at > 0 and (parent[at - 1].text or "") in _OPERATORS
