"""Numbers as the page writes them, and places in its pictures, by the ticks of their axes."""

import math
import re
from decimal import Decimal
from typing import Any

import numpy as np
from playwright.sync_api import Locator

_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


def number(text: str) -> Decimal:
    """A number as the page writes it, −1.5·10⁻¹³."""
    mantissa, _, power = text.partition("·10")
    return Decimal(mantissa.replace("−", "-").lstrip("+")).scaleb(
        int(power.translate(_RAISED) or 0)
    )


def attributes(node: Locator, *names: str) -> list[float]:
    """Places and sizes that a node of a picture has."""
    return [float(node.get_attribute(name) or "nan") for name in names]


#: The numbers at the axes of a picture, and where they stand: [text, x, y, anchor].
_TICKS = """
svg => [...svg.querySelectorAll(".axes .tick")].map(node => [
  node.textContent, Number(node.getAttribute("x")), Number(node.getAttribute("y")),
  node.getAttribute("text-anchor"),
])
"""

#: How far the text of a tick on the y axis stands below its place, in pixels.
_BELOW = 4


class Scales:
    """What a picture's places mean, in x and in y."""

    def __init__(self, picture: Locator, *, logarithmic: bool = False) -> None:
        ticks = picture.evaluate(_TICKS)
        self._log = logarithmic
        self._x = self._fitted([(text, x) for text, x, _, anchor in ticks if anchor == "middle"])
        self._y = self._fitted([(text, y - _BELOW) for text, _, y, a in ticks if a == "end"])

    def at(self, x: float, y: float) -> tuple[float, float]:
        """The numbers at a place."""
        found = tuple(np.polyval(line, place) for line, place in ((self._x, x), (self._y, y)))
        return tuple(10.0**f for f in found) if self._log else found  # pyright: ignore[reportReturnType]

    def place(self, x: float, y: float) -> tuple[float, float]:
        """The place of numbers, in pixels of the picture."""
        values = (math.log10(x), math.log10(y)) if self._log else (x, y)
        lines = (self._x, self._y)
        return tuple((v - b) / m for v, (m, b) in zip(values, lines, strict=True))  # pyright: ignore[reportReturnType]

    def _fitted(self, ticks: list[tuple[str, float]]) -> Any:
        """A line through all ticks; they lie on it, or the axis is not what it says."""
        values = [_tick(text) for text, _ in ticks]
        wanted = np.log10(values) if self._log else np.array(values)
        places = np.array([place for _, place in ticks])
        slope = (wanted[-1] - wanted[0]) / (places[-1] - places[0])
        line = (slope, wanted[0] - slope * places[0])
        assert np.allclose(np.polyval(line, places), wanted, atol=1e-6 * np.ptp(wanted))
        return line


def _tick(text: str) -> float:
    """A number at an axis; a power of ten stands alone, 10⁻⁵."""
    return float(number(f"1·{text}" if re.fullmatch("10[⁰¹²³⁴-⁹⁻]+", text) else text))


def points(path: Locator) -> list[tuple[float, float]]:
    """The places that a path goes through."""
    words = (path.get_attribute("d") or "").replace("M", "L").split("L")[1:]
    return [(float(x), float(y)) for x, y in (word.split() for word in words)]
