"""What checkers are asked about: the models, by the kind of their derivative."""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from importlib import import_module
from typing import Any

import numpy as np

from models import derivatives, elements, likelihoods, right_points, sized
from models.checkers import MODELS
from models.model import GRADIENT, OF_TORCH, Model

#: The formats in which functions of torch are asked about.
FORMATS = ("float64", "float32", "bfloat16")

#: The slug of the mistake that shows only at a kink; its model's own point is a kink.
AT_A_KINK = "relu-at-zero"

#: The losses and gradients in which mistakes are planted.
GRADIENTS = MODELS

#: Right gradients at points that are hard to judge, by what makes them hard.
HARD = right_points.POINTS

#: Jacobians, Hessians, products with Hessians, complex gradients, and rules of JAX.
DERIVATIVES = derivatives.DERIVATIVES


def of_losses() -> list[Model]:
    """Return all losses and their gradients."""
    return [*GRADIENTS, *(model for points in HARD.values() for model in points)]


def of_torch() -> Sequence[Model]:
    """Return the functions of torch, which must be installed."""
    return import_module("models.torch_functions.functions").FUNCTIONS


def point(of: Model, draw: int = 0, dtype: str = "") -> tuple[Any, ...]:
    """Return the arguments of a draw, the same every time, and in every format but rounded."""
    rng = np.random.default_rng(
        zlib.crc32((of.name if of.kind == GRADIENT else f"{of.name}/{draw}").encode())
    )
    name = [*of.draws][draw]
    if of.kind == OF_TORCH:
        return import_module("models.torch_functions.function").point(
            of, rng, name, dtype or FORMATS[0]
        )
    return tuple(of.draws[name](rng))


#: Mistakes in one element of a large parameter.
IN_ONE_ELEMENT = elements.MISTAKES


def with_one_element(size: int, slug: str, which: int) -> tuple[Model, Any]:
    """Return a layer with so many weights, and its gradient with a mistake in a random one."""
    draws = {"ordinary": lambda _: elements.draw(size)}
    functions = elements.loss, elements.gradient
    found = Model(str(size), GRADIENT, *functions, draws, IN_ONE_ELEMENT)
    return found, elements.planted(size, slug, which)


#: Groups of models whose checks are timed: networks with the defaults, at one point with one batch,
#: and other models.
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

#: By the layers, what is asked beyond the defaults of `check_gradient`.
OPTIONS: dict[tuple[int, ...], dict[str, float]] = {(784, 512, 512, 10): {"seconds": 40.0}}

#: Networks whose cost is compared: their layers, all with one batch, at the given point alone, so
#: that a limit of time does not stop some of them earlier than others.
COMPARED, BATCH = tuple(SIZES)[3:], 128


@dataclass(frozen=True)
class Sized:
    """A model of some size, whose check is timed."""

    name: str
    words: str  #: in the table
    group: str  #: `NETWORKS`, `EQUAL` or `OTHERS`
    build: Callable[[], Model]
    options: Mapping[str, float] = field(default_factory=dict)  #: of `check_gradient`


def network(sizes: Sequence[int], examples: int) -> str:
    """Return the name of a network: `5-7-3, 11`."""
    return f"{'-'.join(map(str, sizes))}, {examples}"


def _sized() -> Sequence[Sized]:
    def of(sizes: tuple[int, ...], batch: int, group: str, suffix: str, **options: float) -> Sized:
        name, build = network(sizes, batch), partial(sized.perceptron, sizes, batch)
        return Sized(name + suffix, name, group, build, options | OPTIONS.get(sizes, {}))

    by_name = {model.name: model for model in GRADIENTS}
    norm, scan = by_name["layer-norm"], by_name["elman-scan"]
    return [
        *(of(sizes, batch, NETWORKS, "") for sizes, batch in SIZES.items()),
        *(of(sizes, BATCH, EQUAL, ", one point", points=0) for sizes in COMPARED),
        Sized(
            *("attention", "attention, 4 heads, 64 positions, 128 wide", OTHERS),
            partial(sized.attention, heads=4, positions=64, width=128),
        ),
        Sized(
            *("layer norm", "layer norm, 128 wide, 64 examples", OTHERS),
            partial(norm.of_size, examples=64, width=128, outputs=10),
        ),
        Sized(
            *("convolution", "convolution 3×3, 16 channels, 28×28, 2 examples", OTHERS),
            partial(sized.convolution, examples=2, side=28, kernel=3, channels=16, outputs=10),
        ),
        Sized(
            *("scanned RNN", "RNN, a scan of 20 steps, 64 units, 16 examples", OTHERS),
            partial(scan.of_size, steps=20, examples=16, inputs=32, units=64, outputs=10),
        ),
        Sized(
            *("Cholesky", "Gaussian likelihood by Cholesky, 16 dimensions, 32 examples", OTHERS),
            partial(likelihoods.COVARIANCE.of_size, examples=32, dimensions=16),
        ),
    ]


SIZED = {each.name: each for each in _sized()}


@cache
def built(name: str) -> tuple[Model, Any]:
    """Return a model of some size, once in a process, as its checks share it, and a point."""
    model = SIZED[name].build()
    return model, model.draw(np.random.default_rng(0))


def redrawn(name: str, seed: int) -> Any:
    """Return other parameters of a model of some size."""
    model, _ = built(name)
    return model.draw(np.random.default_rng(seed))[0]


def parameters(name: str) -> int:
    """Return the number of elements of a gradient of some size."""
    import jax

    _, (params, *_) = built(name)
    return sum(np.size(leaf) for leaf in jax.tree.leaves(params))
