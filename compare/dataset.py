"""The type of a data set: features, a target, and their names."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Dataset:
    """A table of features and a target, which is a class or a number."""

    name: str  #: its name on the command line, or the file's name
    features: tuple[str, ...]
    target: str
    classes: tuple[str, ...] | None  #: labels, position = code; None where the target is a number
    x: np.ndarray  #: float64, shape (rows, features), in the data's own units
    y: np.ndarray  #: int64 codes of classes, or float64, shape (rows,)
    note: str = ""  #: a remark for the user
