"""What is checked: networks of growing size, some of them with one batch, and other models."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import pairwise

import numpy as np

from models import sized
from models.model import Model

#: The three groups: networks with the defaults, at one point with one batch, other models.
NETWORKS, EQUAL, OTHERS = "networks", "equal batch", "others"

#: The layers of the networks, and the examples in their batches.
SIZES = {
    (2, 2, 1): 4,
    (5, 7, 3): 11,
    (20, 32, 5): 16,
    (64, 64, 10): 32,
    (256, 128, 10): 64,
    (784, 128, 10): 128,
    (784, 512, 512, 10): 128,
}

#: By the layers, what is asked beyond the defaults, of those options that there are.
OPTIONS = {(784, 512, 512, 10): {"seconds": 40.0}}

#: Networks whose cost is compared: their layers, all with one batch, at the given point alone, so
#: that a limit of time does not stop some of them earlier than others.
COMPARED, BATCH = tuple(SIZES)[3:], 128

#: Subjects of `--quick`.
QUICK = ("2-2-1, 4", "20-32-5, 16", "Cholesky")


@dataclass(frozen=True)
class Subject:
    """A model to check and the options of the check. It is sent to another process."""

    name: str
    group: str  #: `NETWORKS`, `EQUAL` or `OTHERS`
    build: Callable[[], Model]
    options: Mapping[str, float] = field(default_factory=dict)  #: of `check_gradient`

    @cached_property
    def parameters(self) -> int:
        """The number of elements of the gradient."""
        from benchmarks.checkers.question import leaves

        params, *_ = self.build().draw(np.random.default_rng(0))
        return sum(leaf.size for leaf in leaves(params))


def network(sizes: tuple[int, ...], examples: int) -> str:
    """Return the name of a network: `5-7-3, 11`."""
    return f"{'-'.join(map(str, sizes))}, {examples}"


SUBJECTS = (
    *(
        Subject(
            *(network(sizes, examples), NETWORKS),
            partial(sized.perceptron, sizes, examples),
            OPTIONS.get(sizes, {}),
        )
        for sizes, examples in SIZES.items()
    ),
    *(
        Subject(
            *(f"{network(sizes, BATCH)}, one point", EQUAL),
            partial(sized.perceptron, sizes, BATCH),
            {"points": 0} | OPTIONS.get(sizes, {}),
        )
        for sizes in COMPARED
    ),
    Subject("attention", OTHERS, partial(sized.attention, heads=4, positions=64, width=128)),
    Subject("layer norm", OTHERS, partial(sized.layer_norm, examples=64, width=128, outputs=10)),
    Subject(
        *("convolution", OTHERS),
        partial(sized.convolution, examples=2, side=28, kernel=3, channels=16, outputs=10),
    ),
    Subject(
        *("scanned RNN", OTHERS),
        partial(sized.scanned, steps=20, examples=16, inputs=32, units=64, outputs=10),
    ),
    Subject("Cholesky", OTHERS, partial(sized.gaussian, examples=32, dimensions=16)),
)

#: What the other models are.
WORDS = {
    "attention": "attention, 4 heads, 64 positions, 128 wide",
    "layer norm": "layer norm, 128 wide, 64 examples",
    "convolution": "convolution 3×3, 16 channels, 28×28, 2 examples",
    "scanned RNN": "RNN, a scan of 20 steps, 64 units, 16 examples",
    "Cholesky": "Gaussian likelihood by Cholesky, 16 dimensions, 32 examples",
}


def multiply_adds(sizes: tuple[int, ...], examples: int) -> int:
    """Count those of the matrix products of a network's loss and gradient.

    Each layer has three: z = a @ w, dw = aᵀ @ dz, and, but for the first, da = dz @ wᵀ.
    """
    each = [n_in * n_out for n_in, n_out in pairwise(sizes)]
    return examples * (3 * sum(each) - each[0])


def size_of(sizes: tuple[int, ...]) -> int:
    """Count the parameters of a network."""
    return sum((n_in + 1) * n_out for n_in, n_out in pairwise(sizes))


def predicted() -> float:
    """Return the exponent of the multiply-adds in the number of parameters, by least squares."""
    x = [math.log(size_of(sizes)) for sizes in COMPARED]
    y = [math.log(multiply_adds(sizes, BATCH)) for sizes in COMPARED]
    return float(np.polyfit(x, y, 1)[0])


#: Why the exponent is predicted as it is; written before the first measurement.
BECAUSE = (
    "that of the multiply-adds in the matrix products of the gradient's program, which take most "
    "of the time; the rest grows with the parameters or with the units, and what a check costs "
    "whatever the size makes it a little less"
)
