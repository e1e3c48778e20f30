"""What checkers are asked about: the models, by the kind of their derivative.

The one module here that knows the types of `models`.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from models import elements, right_points, sized
from models.checkers import MODELS
from models.derivatives import derivatives
from models.derivatives.derivative import (
    COMPLEX,
    HESSIAN,
    JACOBIAN,
    PRODUCT,
    RULE,
    Derivative,
    dense,
)
from models.mistakes import MISTAKES
from models.model import Model

__all__ = ["COMPLEX", "HESSIAN", "JACOBIAN", "PRODUCT", "RULE", "dense"]

#: The kinds that are not in `models.derivatives`: of a loss, and of a torch function.
GRADIENT, TORCH = "gradient", "torch"

#: The formats in which functions of torch are asked about.
FORMATS = ("float64", "float32", "bfloat16")

#: The slug of the mistake that shows only at a kink; its model's own point is a kink.
AT_A_KINK = "relu-at-zero"


class Mistake(NamedTuple):
    """What is known of a mistake: what its author did, and what names it rightly."""

    says: str
    kinds: tuple[str, ...]  #: the kinds of finding
    lines: tuple[str, ...] = ()  #: texts of the forward lines whose derivative is wrong


@dataclass(frozen=True, eq=False)
class Subject:
    """A derivative by hand, points, mistakes, and other right ways to write it."""

    name: str
    kind: str
    function: Callable[..., Any]  #: as `Question.function`
    by_hand: Any  #: as `Question.by_hand`, but of a rule what makes the decorated function
    draws: Sequence[Callable[..., Any]]  #: of points, by a generator, and of torch by a format
    mistakes: Mapping[str, Mistake]  #: by slug
    rewrites: Sequence[str]  #: their slugs
    model: Any  #: of `models`, with `wrong(slug)`, and `right(slug)` if there are rewrites

    def right(self, slug: str = "") -> Any:
        """Return what is by hand as it is written, or make a rewritten one."""
        return self.model.right(slug) if slug else self.by_hand

    def point(self, draw: int = 0, dtype: str = "float64") -> tuple[Any, ...]:
        """Return the arguments of a draw, the same every time, and in every format but rounded."""
        name = self.name if self.kind == GRADIENT else f"{self.name}/{draw}"
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        return tuple(self.draws[draw](rng, *([dtype] if self.kind == TORCH else [])))


def _of_model(model: Model) -> Subject:
    known = {slug: Mistake(*MISTAKES[slug]) for slug in model.mistakes}
    given = model.loss, model.gradient, [model.draw], known, ()
    return Subject(model.name, GRADIENT, *given, model)


def _of_derivative(model: Derivative) -> Subject:
    known = {slug: Mistake(slip.says, slip.kinds) for slug, slip in model.slips.items()}
    given = model.fun, model.by_hand, [*model.draws.values()], known, [*model.rewrites]
    return Subject(model.name, model.kind, *given, model)


def _of_torch(model: Any) -> Subject:
    known = {s: Mistake(slip.says, slip.kinds, slip.lines) for s, slip in model.mistakes.items()}
    draws = [lambda rng, dtype, name=name: model.point(rng, name, dtype) for name in model.draws]
    given = model.reference, model.function, draws, known, [*model.rewrites]
    return Subject(model.name, TORCH, *given, model)


#: The losses and gradients in which mistakes are planted.
GRADIENTS = [_of_model(model) for model in MODELS]

#: Right gradients at points that are hard to judge, by what makes them hard.
HARD = {sort: [*map(_of_model, points)] for sort, points in right_points.POINTS.items()}


def of_losses() -> list[Subject]:
    """Return all losses and their gradients."""
    return [*GRADIENTS, *(subject for points in HARD.values() for subject in points)]


#: Jacobians, Hessians, products with Hessians, complex gradients, and rules of JAX.
DERIVATIVES = [*map(_of_derivative, derivatives.DERIVATIVES)]


@cache
def of_torch() -> list[Subject]:
    """Return the functions of torch, which must be installed."""
    return [*map(_of_torch, import_module("models.torch_functions.functions").FUNCTIONS)]


def torch_gradients() -> Any:
    """Return the module of functions that differentiate by torch, which must be installed."""
    return import_module("models.torch_functions.gradients")


#: Mistakes in one element of a large parameter.
IN_ONE_ELEMENT = {
    slug: Mistake(mistake.words, mistake.accepted) for slug, mistake in elements.MISTAKES.items()
}


def with_one_element(size: int, slug: str, which: int) -> tuple[Subject, Any]:
    """Return a layer with so many weights, and its gradient with a mistake in a random one."""
    draws = [lambda _: elements.draw(size)]
    functions = elements.loss, elements.gradient
    found = Subject(str(size), GRADIENT, *functions, draws, IN_ONE_ELEMENT, (), None)
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

    return [
        *(of(sizes, batch, NETWORKS, "") for sizes, batch in SIZES.items()),
        *(of(sizes, BATCH, EQUAL, ", one point", points=0) for sizes in COMPARED),
        Sized(
            *("attention", "attention, 4 heads, 64 positions, 128 wide", OTHERS),
            partial(sized.attention, heads=4, positions=64, width=128),
        ),
        Sized(
            *("layer norm", "layer norm, 128 wide, 64 examples", OTHERS),
            partial(sized.layer_norm, examples=64, width=128, outputs=10),
        ),
        Sized(
            *("convolution", "convolution 3×3, 16 channels, 28×28, 2 examples", OTHERS),
            partial(sized.convolution, examples=2, side=28, kernel=3, channels=16, outputs=10),
        ),
        Sized(
            *("scanned RNN", "RNN, a scan of 20 steps, 64 units, 16 examples", OTHERS),
            partial(sized.scanned, steps=20, examples=16, inputs=32, units=64, outputs=10),
        ),
        Sized(
            *("Cholesky", "Gaussian likelihood by Cholesky, 16 dimensions, 32 examples", OTHERS),
            partial(sized.gaussian, examples=32, dimensions=16),
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
