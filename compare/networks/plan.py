"""What a training is to do: the network, and how it is trained."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from compare.rounding import FLOAT32, FLOAT64, Format
from manual.network import Network
from manual.optimisers import OPTIMISERS

FORMATS = {"float32": FLOAT32, "float64": FLOAT64}


@dataclass(frozen=True)
class Plan:
    """All that a training depends on besides its data; equal plans give equal bits.

    Raises:
        ValueError: an optimiser or dtype of no known name.
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
            ("dtype", self.dtype, FORMATS),
        ):
            if value not in names:
                raise ValueError(f"{what}: got {value!r}, expected one of {', '.join(names)}")

    @property
    def floats(self) -> Format:
        """What is charged for a rounding."""
        return FORMATS[self.dtype]

    @property
    def numpy_dtype(self) -> Any:
        """The dtype as NumPy has it."""
        return np.dtype(self.dtype)

    def as_object(self) -> dict[str, Any]:
        """For a file; the inverse is `plan_from`."""
        return asdict(self) | {"network": asdict(self.network)}


def plan_from(value: dict[str, Any]) -> Plan:
    """A plan from what `as_object` made of it.

    Raises:
        ValueError, TypeError, KeyError: it does not describe a plan.
    """
    rest = dict(value)
    network = dict(rest.pop("network"))
    sizes = tuple(network.pop("sizes"))
    return Plan(Network(sizes, **network), **rest)
