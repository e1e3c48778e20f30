"""The plan of a training: the network and the training settings."""

import sys
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from msgspec import Meta

from compare.limits import LARGEST_BATCH, LARGEST_SEED
from compare.rounding import FLOAT32, FLOAT64, Format
from manual.network import Network
from manual.optimisers import OPTIMISERS

FORMATS = {"float32": FLOAT32, "float64": FLOAT64}


@dataclass(frozen=True)
class Plan:
    """Everything a training depends on besides its data; equal plans give equal bits.

    Raises:
        ValueError: an unknown optimiser or dtype.
    """

    network: Network
    optimiser: str  #: one of `manual.optimisers.OPTIMISERS`
    learning_rate: Annotated[float, Meta(gt=0, le=sys.float_info.max)]  #: η
    batch: Annotated[int, Meta(ge=1, le=LARGEST_BATCH)]  #: rows an update
    #: Draws the split, the start, and the order of every epoch.
    seed: Annotated[int, Meta(ge=0, le=LARGEST_SEED)]
    dtype: str = "float64"  #: or `float32`

    def __post_init__(self) -> None:
        """Refuse unknown names."""
        for what, value, names in (
            ("optimiser", self.optimiser, OPTIMISERS),
            ("dtype", self.dtype, FORMATS),
        ):
            if value not in names:
                raise ValueError(f"{what}: got {value!r}, expected one of {', '.join(names)}")

    @property
    def floats(self) -> Format:
        """The floating-point format, which determines the bounds on rounding."""
        return FORMATS[self.dtype]

    @property
    def numpy_dtype(self) -> Any:
        """The NumPy dtype."""
        return np.dtype(self.dtype)
