"""The cases that checkers are asked about, in their order: wrong derivatives, then right ones."""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from importlib import import_module
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.checkers.question import Question
from models import elements, likelihoods, sized
from models.checkers import MODELS
from models.derivatives import DERIVATIVES as OF_DERIVATIVES
from models.model import GRADIENT, OF_TORCH, RULE, Model
from models.right_points import POINTS

#: What is asked: gradients of losses; Jacobians and other derivatives; functions of torch; right
#: gradients of models that grow, whose checks are timed from the first call in a process on.
GRADIENTS, DERIVATIVES, TORCH, TIMES = QUESTIONS = ("gradients", "derivatives", "torch", "sized")

#: The formats in which functions of torch are asked about.
FORMATS = ("float64", "float32", "bfloat16")

#: The slug of the mistake that shows only at a kink; its model's own point is a kink.
AT_A_KINK = "relu-at-zero"

#: The parts of a comparison.
MISTAKES, ELEMENTS, RIGHT = "mistakes", "elements", "right"

#: Sizes of a parameter, a square matrix, and the number of elements in which each mistake is
#: planted, one at a time. Several, as the element decides what a checker sees; few in the largest
#: matrix, where a check takes up to the whole limit.
SIZES = {100: 8, 10_000: 8, 1_000_000: 2}

#: A derivative as it is in its module, among its rewrites.
AS_WRITTEN = "as-written"

#: The rewrite that is one only where kernels compute in a wider format than they store.
IN_ITS_FORMAT = "in-its-format"

#: First calls, each in a new process, and later ones in one of them; of `--quick`, whose numbers
#: are no medians of many.
CALLS, QUICK_CALLS = (5, 5), (1, 2)

#: Models whose checks are timed by `--quick`.
QUICK_SIZED = ("2-2-1, 4", "20-32-5, 16", "Cholesky")


#: The layers of the networks whose checks are timed, and the examples in their batches.
NETWORKS = {
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
COMPARED, BATCH = tuple(NETWORKS)[3:], 128


@dataclass(frozen=True)
class Sized:
    """A model of some size, whose check is timed."""

    words: str  #: in the table
    build: Callable[[], Model]
    options: Mapping[str, float] = field(default_factory=dict)  #: of `check_gradient`

    def draw(self, seed: int) -> tuple[Any, ...]:
        """Draw the arguments of the model."""
        return tuple(self.build().draw(np.random.default_rng(seed)))

    @cached_property
    def parameters(self) -> int:
        """The number of elements of a gradient."""
        return sum(map(np.size, jax.tree.leaves(self.draw(0)[0])))

    @property
    def one_point(self) -> bool:
        """Whether its cost is compared, at the given point alone."""
        return "points" in self.options


def _network(layers: tuple[int, ...], batch: int, **options: float) -> Sized:
    build, options = partial(sized.perceptron, layers, batch), OPTIONS.get(layers, {}) | options
    return Sized(f"{'-'.join(map(str, layers))}, {batch}", build, options)


_NORM, _SCAN = (
    next(model for model in MODELS if model.name == name) for name in ("layer-norm", "elman-scan")
)

#: By name.
SIZED: dict[str, Sized] = {
    **{of.words: of for of in (_network(*each) for each in NETWORKS.items())},
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


@dataclass(frozen=True)
class Case:
    """One derivative at one point. It is sent to another process, and built only there."""

    questions: str  #: one of `QUESTIONS`
    part: str  #: `MISTAKES`, `ELEMENTS` or `RIGHT`
    subject: str  #: the model, or the size of the leaf
    what: str  #: the mistake's slug, or the kind of what is right
    draw: int = 0  #: the index among several random elements, points or processes
    format: str = ""  #: that of the floating arguments, if not all cases are in float64
    calls: int = 1
    fresh: bool = False  #: whether it is the first that its process is asked

    @property
    def id(self) -> str:
        """The case's name in stored results."""
        named = f"{self.part}/{self.subject}/{self.what}/{self.draw}"
        return f"{named}/{self.format}" if self.format else named

    def build(self) -> Question:
        """Build the question about a wrong or a right derivative at one of its points."""
        if self.questions == TIMES:
            of, model = SIZED[self.subject], SIZED[self.subject].build()
            how: Any = {"options": of.options, "draw": of.draw}
            return Question(GRADIENT, model.function, model.by_hand, of.draw(0), **how)
        if self.part == ELEMENTS:
            wrong = elements.planted(int(self.subject), self.what, self.draw)
            at, planted = elements.draw(int(self.subject)), ("params['w']",)
            return Question(GRADIENT, elements.loss, wrong, at, elements.gradient, planted)
        of = named(self.questions, self.subject)
        if self.part == MISTAKES:
            by_hand, right = of.wrong(self.what), of.by_hand
        else:
            by_hand, right = of.right(self.what if self.what in of.rewrites else ""), None
        if of.kind == RULE:
            by_hand, right = by_hand(), right and right()
        return Question(of.kind, of.function, by_hand, point(of, self.draw, self.format), right)


def point(of: Model, draw: int = 0, dtype: str = "") -> tuple[Any, ...]:
    """Return the arguments of a draw, the same every time, and in every format but rounded."""
    seed = of.name if of.kind == GRADIENT else f"{of.name}/{draw}"
    rng, name = np.random.default_rng(zlib.crc32(seed.encode())), [*of.draws][draw]
    if of.kind == OF_TORCH:
        drawn = import_module("models.torch_functions.function").point
        return drawn(of, rng, name, dtype or "float64")
    return tuple(of.draws[name](rng))


def subjects(questions: str) -> Sequence[Model]:
    """Return what is asked about; for functions of torch, that must be installed."""
    if questions == TORCH:
        return import_module("models.torch_functions.functions").FUNCTIONS
    if questions == DERIVATIVES:
        return OF_DERIVATIVES
    return [*MODELS, *(model for points in POINTS.values() for model in points)]


def named(questions: str, name: str) -> Model:
    """Return what is asked about, by its name."""
    return next(subject for subject in subjects(questions) if subject.name == name)


def simple(questions: str) -> Question:
    """Return a question that makes a checker load its packages before the first case.

    For some operations (`triu`) torch wakes a thread for each processor, even for 25 numbers. On a
    busy machine they wait for each other: `gradcheck` of attention took sixty times as long. So
    where its functions are asked about, torch has one thread from then on.
    """
    if questions == TORCH:
        import_module("torch").set_num_threads(1)
        return Case(TORCH, RIGHT, "softplus", AS_WRITTEN, format="float64").build()
    if questions == DERIVATIVES:
        return Case(DERIVATIVES, RIGHT, "arm", AS_WRITTEN).build()

    def loss(params: Any) -> Any:
        return jnp.sum(params["w"] ** 2)

    return Question(GRADIENT, loss, lambda params: {"w": 2 * params["w"]}, ({"w": np.ones(2)},))


def cases(questions: str, formats: Sequence[str] = FORMATS, few: bool = False) -> list[Case]:
    """Return all cases of a comparison, or a few; formats are those of torch."""
    if questions == TIMES:
        names, (first, later) = (QUICK_SIZED, QUICK_CALLS) if few else (SIZED, CALLS)
        return [
            Case(TIMES, RIGHT, name, TIMES, at, calls=1 if at else 1 + later, fresh=True)
            for name in names
            for at in range(first)
        ]
    found = _gradients() if questions == GRADIENTS else _others(questions, formats)
    if not few:
        return found
    some: dict[tuple[str, ...], Case] = {}
    for case in found:
        alike = case.what if questions == GRADIENTS else case.subject
        some.setdefault((case.part, alike, case.format), case)
    return [*some.values()]


def _gradients() -> list[Case]:
    of, single = partial(Case, GRADIENTS), product(SIZES.items(), elements.MISTAKES)
    return [
        *(of(MISTAKES, model.name, slug) for model in MODELS for slug in model.mistakes),
        *(of(ELEMENTS, str(n), slug, at) for (n, draws), slug in single for at in range(draws)),
        *(of(RIGHT, m.name, "kinked" if AT_A_KINK in m.mistakes else "ordinary") for m in MODELS),
        *(of(RIGHT, model.name, sort) for sort, points in POINTS.items() for model in points),
    ]


def _others(questions: str, formats: Sequence[str]) -> list[Case]:
    """Return the mistakes at ordinary points, then all right ways to write the same."""
    found: list[Case] = []
    dtypes = formats if questions == TORCH else ("",)
    for part, dtype, of in product((MISTAKES, RIGHT), dtypes, subjects(questions)):
        mistakes = [(slug, 0) for slug in of.mistakes]
        for what, draw in mistakes if part == MISTAKES else right_ways(of, dtype):
            found.append(Case(questions, part, of.name, what, draw, dtype))
    return found


def right_ways(subject: Model, dtype: str = "") -> list[tuple[str, int]]:
    """Return the slugs of the right ways to write a derivative, each with a draw.

    Rewrites of torch functions are asked about at all points, and are those that differ in a
    format; others at the ordinary one, as they differ from what is written by rounding alone.
    """
    draws = range(len(subject.draws))
    half = dtype not in ("float64", "float32")
    rewrites = [slug for slug in subject.rewrites if half or slug != IN_ITS_FORMAT]
    return [
        *((AS_WRITTEN, draw) for draw in draws),
        *((slug, draw) for slug in rewrites for draw in (draws if dtype else (0,))),
    ]
