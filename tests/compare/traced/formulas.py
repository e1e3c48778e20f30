"""Computes what a formula says, from its text alone."""

import math
import re
from collections.abc import Mapping

import numpy as np
from scipy.special import erfc

from compare.trace import Quantity, Trace
from manual.activations import sigmoid, sigmoid_derivative, softplus_forward
from manual.losses import softmax

#: The functions of a formula, by what they are called once its signs are Python's.
FUNCTIONS = {
    "sigma": sigmoid,
    "slope": sigmoid_derivative,
    "softplus": lambda z: softplus_forward(np.float64(z))[0],
    "softmax": lambda at, *z: softmax(np.array([z]))[0, at],
    **{name: getattr(np, name) for name in ("exp", "log", "log1p", "tanh")},
    "erfc": erfc,
    "max": np.maximum,
    "min": np.minimum,
}


def value(trace: Trace, quantity: Quantity) -> float:
    """Of the quantity, by its formula and the values of what stands in it."""
    assert quantity.formula is not None
    named = {trace.quantities[name].symbol: trace.quantities[name] for name in quantity.depends_on}
    text = re.sub(r"softmax\[(\d+)\]\(", r"softmax(\1, ", quantity.formula)
    text, values = _numbered(text, {symbol: of.by_hand for symbol, of in named.items()})
    return float(eval(_python(text), FUNCTIONS | values))


def _numbered(text: str, values: Mapping[str, float]) -> tuple[str, dict[str, float]]:
    """Each symbol by a word, the longest first: some are part of others."""
    words = {}
    for at, (symbol, number) in enumerate(sorted(values.items(), key=lambda pair: -len(pair[0]))):
        text = re.sub(rf"(?<![\w∂/\]]){re.escape(symbol)}(?![\w\[])", f"v{at}_", text)
        words[f"v{at}_"] = np.float64(number)
    return text, words


def _python(text: str) -> str:
    text = re.sub(r"\[(.+?) > (.+?)\]", r"1.0 * (\1 > \2)", text)
    text = re.sub(r"\[(.+?) ≥ (.+?)\]", r"1.0 * (\1 >= \2)", text)
    text = re.sub(r"\|(.+?)\|", r"abs(\1)", text)
    for sign, python in {"·": "*", "²": "**2", "σ′": "slope", "σ": "sigma"}.items():
        text = text.replace(sign, python)
    return text


def same(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b))
