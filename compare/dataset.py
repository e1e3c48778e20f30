"""What a data set is: features, a target, and what they are called."""

import hashlib
import json
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Dataset:
    """Features and a target: classes or a number."""

    name: str  #: how it is called on the command line, or the file's name
    features: tuple[str, ...]
    target: str
    classes: tuple[str, ...] | None  #: labels, position = code; None where the target is a number
    x: np.ndarray  #: float64, shape (rows, features), in the data's own units
    y: np.ndarray  #: int64 codes of classes, or float64, shape (rows,)
    note: str = ""  #: what a reader should know about the data

    def fingerprint(self) -> str:
        """SHA-256, in hexadecimal, of all that can be learned from.

        That is the columns' names, classes, shapes, dtypes and values, and neither the file's name
        nor the note. It is the same on every machine.
        """
        arrays = (self.x, self.y)
        description = [self.features, self.target, self.classes]
        description += [(array.shape, array.dtype.name) for array in arrays]
        digest = hashlib.sha256(json.dumps(description).encode())
        for array in arrays:
            digest.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
        return digest.hexdigest()
