"""The models whose checks are timed, and the points at which derivatives are asked about."""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from importlib import import_module
from typing import Any

import numpy as np

from models import likelihoods, sized
from models.checkers import MODELS
from models.model import GRADIENT, OF_TORCH, Model


def point(of: Model, draw: int = 0, dtype: str = "") -> tuple[Any, ...]:
    """Return the arguments of a draw, the same every time, and in every format but rounded."""
    seed = of.name if of.kind == GRADIENT else f"{of.name}/{draw}"
    rng, name = np.random.default_rng(zlib.crc32(seed.encode())), [*of.draws][draw]
    if of.kind == OF_TORCH:
        drawn = import_module("models.torch_functions.function").point
        return drawn(of, rng, name, dtype or "float64")
    return tuple(of.draws[name](rng))


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

#: By the layers, what is asked beyond the defaults of `check_gradient`.
OPTIONS: dict[tuple[int, ...], dict[str, float]] = {(784, 512, 512, 10): {"seconds": 40.0}}

#: Networks whose cost is compared: their layers, all with one batch, at the given point alone, so
#: that a limit of time does not stop some of them earlier than others.
COMPARED, BATCH = tuple(SIZES)[3:], 128


@dataclass(frozen=True)
class Sized:
    """A model of some size, whose check is timed."""

    words: str  #: in the table
    build: Callable[[], Model]
    options: Mapping[str, float] = field(default_factory=dict)  #: of `check_gradient`

    def draw(self, seed: int) -> tuple[Any, ...]:
        """Draw the arguments of the model."""
        return tuple(self.build().draw(np.random.default_rng(seed)))

    @property
    def one_point(self) -> bool:
        """Whether its cost is compared, at the given point alone."""
        return "points" in self.options


def _network(layers: tuple[int, ...], batch: int, **options: float) -> Sized:
    words, build = (
        f"{'-'.join(map(str, layers))}, {batch}",
        partial(sized.perceptron, layers, batch),
    )
    return Sized(words, build, OPTIONS.get(layers, {}) | options)


_NORM, _SCAN = (
    next(model for model in MODELS if model.name == name) for name in ("layer-norm", "elman-scan")
)

#: By name.
SIZED: dict[str, Sized] = {
    **{of.words: of for of in (_network(*each) for each in SIZES.items())},
    **{
        f"{of.words}, one point": of
        for of in (_network(layers, BATCH, points=0) for layers in COMPARED)
    },
    "attention": Sized(
        "attention, 4 heads, 64 positions, 128 wide",
        partial(sized.attention, heads=4, positions=64, width=128),
    ),
    "layer norm": Sized(
        "layer norm, 128 wide, 64 examples",
        partial(_NORM.of_size, examples=64, width=128, outputs=10),
    ),
    "convolution": Sized(
        "convolution 3×3, 16 channels, 28×28, 2 examples",
        partial(sized.convolution, examples=2, side=28, kernel=3, channels=16, outputs=10),
    ),
    "scanned RNN": Sized(
        "RNN, a scan of 20 steps, 64 units, 16 examples",
        partial(_SCAN.of_size, steps=20, examples=16, inputs=32, units=64, outputs=10),
    ),
    "Cholesky": Sized(
        "Gaussian likelihood by Cholesky, 16 dimensions, 32 examples",
        partial(likelihoods.COVARIANCE.of_size, examples=32, dimensions=16),
    ),
}


@cache
def parameters(name: str) -> int:
    """Return the number of elements of a gradient of some size."""
    import jax

    return sum(map(np.size, jax.tree.leaves(SIZED[name].draw(0)[0])))
