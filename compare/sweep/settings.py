"""The settings of a sweep."""

from dataclasses import dataclass
from functools import cached_property

from compare.limits import count_parameters
from compare.sweep.distributions import FLOATS, LIMITS, Distribution, Floats
from compare.wording import InputError
from manual.network import Network

#: Most numbers of one case; with more, a block of cases would not fit a cache.
MOST_NUMBERS = 2000


@dataclass(frozen=True)
class Settings:
    """The gradients to compare and the distributions of the cases.

    Raises:
        InputError: a setting is out of range.
    """

    network: Network | None  #: None for the article's, with its nine scalars
    examples: int  #: examples of one case
    dtype: str  #: float64 or float32
    weights: Distribution  #: of weights and biases
    inputs: Distribution
    seed: int
    form: str = "stable"  #: the form of σ' in the article's lines by hand
    plant: str | None = None  #: a mistake of `models.planted`

    def __post_init__(self) -> None:
        """Refuse settings that are out of range or contradict each other."""
        low, high = LIMITS[self.dtype]
        for what in ("weights", "inputs"):
            sizes: Distribution = getattr(self, what)
            if not low <= sizes.ends[0] <= sizes.ends[1] <= high:
                limits = f"sizes from {low:g} to {high:g} in {self.dtype}"
                raise InputError(f"--{what}: got {sizes}, expected {limits}")
        if self.numbers > MOST_NUMBERS:
            raise InputError(
                f"a case has {self.numbers:,} numbers; expected at most {MOST_NUMBERS:,}: fewer "
                "parameters or examples"
            )
        if self.network is None and self.examples != 1:
            raise InputError(
                f"--examples: got {self.examples}, expected 1 for the article's network"
            )
        if self.plant is not None and self.network is not None:
            raise InputError(
                "--plant: a mistake is planted in the article's network; expected no other one"
            )

    @property
    def floats(self) -> Floats:
        """The floating-point format of all numbers."""
        return FLOATS[self.dtype]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Numbers of units, layer by layer."""
        return (2, 2, 1) if self.network is None else self.network.sizes

    @cached_property
    def parameters(self) -> int:
        """The number of parameters."""
        return count_parameters(self.sizes)

    @property
    def targets(self) -> int:
        """The number of random numbers for an example's targets: one for classes, else one each."""
        is_class = self.network is not None and self.network.loss == "softmax-ce"
        return 1 if is_class else self.sizes[-1]

    @property
    def numbers(self) -> int:
        """The number of random numbers of a case: parameters, inputs, targets."""
        return self.parameters + self.examples * (self.sizes[0] + self.targets)
