"""What a line of a recorded program does, for tests that run one in Python."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import erfc

OPERATIONS: dict[str, Callable[..., Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "**": np.power,
    "neg": np.negative,
    "abs": np.abs,
    "exp": np.exp,
    "log": np.log,
    "log1p": np.log1p,
    "tanh": np.tanh,
    "erfc": erfc,
    "max": np.maximum,
    "largest": np.maximum,
    "min": np.minimum,
    ">": lambda a, b: np.where(a > b, 1.0, 0.0),
    "≥": lambda a, b: np.where(a >= b, 1.0, 0.0),
    "sign": np.sign,
    "where": np.where,
}
