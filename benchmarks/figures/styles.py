"""The styles of the rows: hue, marker and dash, so that none is told apart by colour alone.

Related rows share a hue: the three forms of `jax.grad`, the two of PyTorch, the small autodiff
libraries.
"""

from dataclasses import dataclass
from typing import Any

from benchmarks import names
from benchmarks.figures.themes import Theme


@dataclass(frozen=True)
class Style:
    """The style of one row, and its short label."""

    label: str
    hue: str
    marker: str
    dash: str = "-"
    prominent: bool = False

    def line(self, theme: Theme) -> dict[str, Any]:
        """Return matplotlib's arguments for its line."""
        width, size = (2.2, 6.0) if self.prominent else (1.1, 4.5)
        return {
            "color": theme.hues[self.hue],
            "linestyle": self.dash,
            "linewidth": width,
            "marker": self.marker,
            "markersize": size,
            # An edge in the background colour separates a marker from a line behind it.
            "markeredgecolor": theme.ground,
            "markeredgewidth": 0.6,
            "zorder": 4 if self.prominent else 3,
        }

    def text(self, theme: Theme) -> dict[str, Any]:
        """Return matplotlib's arguments for its label, in ink, as not all hues are legible."""
        if self.prominent:
            return {"color": theme.ink, "fontweight": "bold", "fontsize": 9.5}
        return {"color": theme.muted, "fontsize": 9}


STYLES = {
    names.HAND: Style("by hand, NumPy", "blue", "o", prominent=True),
    names.HAND_JIT: Style("by hand, jit", "green", "s", prominent=True),
    names.HAND_JIT_ARTICLE: Style("σ(1 - σ), jit", "green", "D", "--"),
    names.GRAD: Style("jax.grad, jit", "vermilion", "^", prominent=True),
    names.FLOATS: Style("by hand, floats", "purple", "D", prominent=True),
    names.ARTICLE: Style("the article's lines", "orange", "v", prominent=True),
    names.GRAD_AOT: Style("jax.grad, AOT", "vermilion", "<", "--"),
    names.FROM_HOST: Style("jax.grad, from NumPy", "vermilion", ">", ":"),
    names.IN_NUMPY: Style("jax.grad, in NumPy", "vermilion", "v", ":"),
    names.PUBLIC: Style("jax.grad, public", "vermilion", "d", "-."),
    names.FORWARD: Style("forward mode", "sky", "P"),
    names.DIFFERENCES: Style("differences", "sky", "X", "--"),
    names.C: Style("C", "ink", "p"),
    names.TORCH: Style("PyTorch", "yellow", "h"),
    names.TORCH_COMPILED: Style("PyTorch, compiled", "yellow", "H", "--"),
    names.AUTOGRAD: Style("autograd", "grey", "d"),
    names.MYGRAD: Style("MyGrad", "grey", "D", "--"),
    names.MICROGRAD: Style("micrograd", "grey", "8", "-."),
    names.SKLEARN: Style("scikit-learn", "grey", "X", ":"),
}


def style_of(name: str) -> Style:
    """Return the style of a row; an unknown row is grey, under its own name."""
    return STYLES.get(name) or Style(name, "grey", ".")


def in_order(found: list[str]) -> list[str]:
    """Sort contenders in the order of `names.CONTENDERS`, unknown ones last."""
    known = list(names.CONTENDERS)
    return sorted(found, key=lambda name: known.index(name) if name in known else len(known))
