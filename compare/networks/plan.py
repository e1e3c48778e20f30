"""The plan of a training: the network and the training settings."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from compare.data import Dataset
from compare.limits import shape
from manual.network import Network
from manual.optimisers import OPTIMISERS

#: The losses for classes.
OF_CLASSES = ("bce", "softmax-ce")

DTYPES = ("float32", "float64")


@dataclass(frozen=True)
class Plan:
    """Everything a training depends on besides its data; equal plans give equal bits.

    Raises:
        ValueError: an unknown optimiser or dtype.
    """

    network: Network
    optimiser: str  #: one of `manual.optimisers.OPTIMISERS`
    learning_rate: float  #: η
    batch: int  #: rows an update
    seed: int  #: draws the split, the start, and the order of every epoch
    dtype: str = "float64"  #: or `float32`

    def __post_init__(self) -> None:
        """Refuse unknown names."""
        for what, value, names in (
            ("optimiser", self.optimiser, OPTIMISERS),
            ("dtype", self.dtype, DTYPES),
        ):
            if value not in names:
                raise ValueError(f"{what}: got {value!r}, expected one of {', '.join(names)}")

    @property
    def numpy_dtype(self) -> Any:
        """The NumPy dtype."""
        return np.dtype(self.dtype)


def complaint(plan: Plan, data: Dataset) -> str | None:
    """Return why the network does not fit the data, or None if it does."""
    network = plan.network
    n_in, n_out = network.sizes[0], network.sizes[-1]
    of = shape(network.sizes)
    if n_in != len(data.features):
        return (
            f"network {of} has {n_in} inputs; expected {len(data.features)}, one for each "
            f"feature of {data.name}"
        )
    if data.classes is None:
        if network.loss in OF_CLASSES:
            return f"loss {network.loss} is for classes; expected mse or huber for {data.target!r}"
        return None if n_out == 1 else f"network {of} has {n_out} outputs; expected 1"
    classes = len(data.classes)
    allowed = {classes} | ({1} if classes == 2 and network.loss != "softmax-ce" else set())
    if n_out not in allowed:
        expected = " or ".join(map(str, sorted(allowed)))
        return (
            f"network {of} has {n_out} outputs; expected {expected} for the {classes} classes "
            f"of {data.target!r} with {network.loss}"
        )
    return None
