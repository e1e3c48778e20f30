"""How the rows look: a hue, a marker and a dash each, so that colour is no one's only sign.

What belongs together shares a hue: `jax.grad` in its three forms, the two of PyTorch, the small
autodiffs for Python.
"""

from dataclasses import dataclass
from typing import Any

from benchmarks import names
from benchmarks.figures import themes
from benchmarks.figures.themes import Theme


@dataclass(frozen=True)
class Look:
    """How one row is drawn, and what it is called where there is little room."""

    label: str
    hue: str
    marker: str
    dash: str = "-"
    prominent: bool = False

    def line(self, theme: Theme) -> dict[str, Any]:
        """Of its line: matplotlib's arguments."""
        width, size = (2.2, 6.0) if self.prominent else (1.1, 4.5)
        return {
            "color": theme.hues[self.hue],
            "linestyle": self.dash,
            "linewidth": width,
            "marker": self.marker,
            "markersize": size,
            # The ground's colour around a marker keeps it apart from a line behind it.
            "markeredgecolor": theme.ground,
            "markeredgewidth": 0.6,
            "zorder": 4 if self.prominent else 3,
        }

    def text(self, theme: Theme) -> dict[str, Any]:
        """Of its label. In ink: hues that one can tell apart are not all legible."""
        if self.prominent:
            return {"color": theme.ink, "fontweight": "bold", "fontsize": 9.5}
        return {"color": theme.muted, "fontsize": 9}


LOOKS = {
    names.HAND: Look("by hand, NumPy", themes.BLUE, "o", prominent=True),
    names.HAND_JIT: Look("by hand, jit", themes.GREEN, "s", prominent=True),
    names.HAND_JIT_ARTICLE: Look("σ(1 - σ), jit", themes.GREEN, "D", "--"),
    names.GRAD: Look("jax.grad, jit", themes.VERMILION, "^", prominent=True),
    names.FLOATS: Look("by hand, floats", themes.PURPLE, "D", prominent=True),
    names.ARTICLE: Look("the article's lines", themes.ORANGE, "v", prominent=True),
    names.GRAD_AOT: Look("jax.grad, AOT", themes.VERMILION, "<", "--"),
    names.FROM_HOST: Look("jax.grad, from NumPy", themes.VERMILION, ">", ":"),
    names.FORWARD: Look("forward mode", themes.SKY, "P"),
    names.DIFFERENCES: Look("differences", themes.SKY, "X", "--"),
    names.C: Look("C", themes.INK, "p"),
    names.TORCH: Look("PyTorch", themes.YELLOW, "h"),
    names.TORCH_COMPILED: Look("PyTorch, compiled", themes.YELLOW, "H", "--"),
    names.AUTOGRAD: Look("autograd", themes.GREY, "d"),
    names.MYGRAD: Look("MyGrad", themes.GREY, "D", "--"),
    names.MICROGRAD: Look("micrograd", themes.GREY, "8", "-."),
    names.SKLEARN: Look("scikit-learn", themes.GREY, "X", ":"),
}


def look(name: str) -> Look:
    """Of a row; one that is not known here is drawn as well, under its own name."""
    return LOOKS.get(name) or Look(name, themes.GREY, ".")


def in_order(found: list[str]) -> list[str]:
    """Names of contenders in the order of `names.CONTENDERS`, unknown ones last."""
    known = list(names.CONTENDERS)
    return sorted(found, key=lambda name: known.index(name) if name in known else len(known))
