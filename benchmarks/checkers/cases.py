"""What checkers are asked: a derivative by hand at a point; wrong ones first, then right ones."""

import copy
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial
from importlib import import_module
from itertools import product
from typing import Any

import jax
import numpy as np
from jax.flatten_util import ravel_pytree

from benchmarks.ready import leaves
from models import elements, likelihoods, sized
from models.checkers import MODELS
from models.derivatives import DERIVATIVES as OF_DERIVATIVES
from models.derivatives.derivative import dense
from models.model import COMPLEX, GRADIENT, HESSIAN, OF_TORCH, PRODUCT, RULE, Model
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

#: What a checker says if it does not say `RIGHT`.
WRONG, NO_ANSWER = "wrong", "no answer"

#: Sizes of a parameter, a square matrix, and the number of elements in which each mistake is
#: planted, one at a time. Several, as the element decides what a checker sees; few in the largest
#: matrix, where a check takes up to the whole limit.
SIZES = {100: 8, 10_000: 8, 1_000_000: 2}

#: A derivative as it is in its module, among its rewrites.
AS_WRITTEN = "as-written"

#: The rewrite that is one only where kernels compute in a wider format than they store.
IN_ITS_FORMAT = "in-its-format"

#: The relative difference above which elements differ by a mistake: the smallest one is ten times
#: that. What is the same in both codes rounds alike.
APART = 1e-13

#: What is asked first, which is right, so that a checker has its packages loaded.
FIRST = {GRADIENTS: "flat minimum", DERIVATIVES: "arm", TORCH: "softplus"}

#: First calls, each in a new process, and later ones in one of them; of `--quick`, whose numbers
#: are no medians of many.
CALLS, QUICK_CALLS = (5, 5), (1, 2)

#: Models whose checks are timed by `--quick`.
QUICK_SIZED = ("2-2-1, 4", "20-32-5, 16", "Cholesky")

#: The networks whose checks are timed: their layers, and the examples in their batches.
NETWORKS = (
    *("2-2-1, 4", "5-7-3, 11", "20-32-5, 16", "64-64-10, 32"),
    *("256-128-10, 64", "784-128-10, 128", "784-512-512-10, 128"),
)

#: What a check is asked beyond its defaults, by the network.
OPTIONS = {"784-512-512-10, 128": {"seconds": 40.0}}


def _network(name: str) -> Model:
    layers, batch = name.split(", ")
    return replace(sized.perceptron(tuple(map(int, layers.split("-"))), int(batch)), name=name)


#: Models that are here of other sizes, by name.
_MODELS = {model.name: model for model in MODELS}

#: The models whose checks are timed, by short names; their own ones are for the table.
SIZED: dict[str, Model] = {
    **{name: _network(name) for name in NETWORKS},
    "attention": replace(
        sized.attention(heads=4, positions=64, width=128),
        name="attention, 4 heads, 64 positions, 128 wide",
    ),
    "layer norm": replace(
        _MODELS["layer-norm"].of_size(examples=64, width=128, outputs=10),
        name="layer norm, 128 wide, 64 examples",
    ),
    "convolution": replace(
        sized.convolution(examples=2, side=28, kernel=3, channels=16, outputs=10),
        name="convolution 3×3, 16 channels, 28×28, 2 examples",
    ),
    "scanned RNN": replace(
        _MODELS["elman-scan"].of_size(steps=20, examples=16, inputs=32, units=64, outputs=10),
        name="RNN, a scan of 20 steps, 64 units, 16 examples",
    ),
    "Cholesky": replace(
        likelihoods.COVARIANCE.of_size(examples=32, dimensions=16),
        name="Gaussian likelihood by Cholesky, 16 dimensions, 32 examples",
    ),
}


@dataclass(frozen=True, eq=False)
class Question:
    """A derivative to check at a point.

    The function is that of JAX whose derivative it is, of torch the same in torch's operations.
    By hand there is the derivative in NumPy, of a rule the decorated function, of torch the class.
    """

    kind: str  #: `GRADIENT`, `JACOBIAN`, `HESSIAN`, `PRODUCT`, `COMPLEX`, `RULE` or `OF_TORCH`
    function: Callable[..., Any]
    by_hand: Any
    at: tuple[Any, ...]  #: (params, *inputs), (x, *args), of a product (x, v, *args)
    right: Any = None  #: what is right, where `by_hand` is wrong
    options: Mapping[str, Any] = field(default_factory=dict)  #: of handgrad's check

    def point(self) -> tuple[Any, ...]:
        """Return a copy of the arguments: some mistakes modify them."""
        return copy.deepcopy(self.at)

    @property
    def args(self) -> tuple[Any, ...]:
        """A copy of the arguments of the function after the first."""
        return self.point()[2 if self.kind == PRODUCT else 1 :]

    @cached_property
    def compiled(self) -> Callable[[Any], Any]:
        """What the derivative is one of, compiled: of second derivatives JAX's own gradient."""
        args, second = self.args, self.kind in (HESSIAN, PRODUCT)
        function = jax.grad(self.function) if second else self.function
        return jax.jit(lambda x: function(x, *args))

    @cached_property
    def compiled_of_vector(self) -> Callable[[Any], Any]:
        """The same of the parameters of a loss as one vector."""
        params, *inputs = self.point()
        loss, _ = of_vector(lambda params: self.function(params, *inputs), [params])
        return jax.jit(loss)

    @cached_property
    def found(self) -> Any:
        """What a derivative that is an array returns."""
        return np.asarray(dense(self.by_hand(*self.point())))

    @property
    def elements(self) -> int:
        """The number of elements of a gradient; 0 of other derivatives."""
        return sum(leaf.size for leaf in leaves(self.at[0])) if self.kind == GRADIENT else 0

    @property
    def modes(self) -> tuple[str, ...]:
        """The modes that a rule defines."""
        return ("fwd", "rev") if hasattr(self.by_hand, "defjvp") else ("rev",)

    def arrays(self, by_hand: Any, wide: bool = True) -> list[Any]:
        """Return the parts of a derivative as arrays of real numbers, in the order of `paths`.

        Of torch the leaves by that or the function, in float64 or not `wide`, for a cotangent in
        the format; of a rule what it gives for random vectors, and NaN where it is not defined.
        """
        if self.kind == OF_TORCH:
            from models.torch_functions.function import cotangent_like, gradients, widened

            cotangent = cotangent_like(self.function(*self.at))
            at, apply = widened(self.at) if wide else self.at, getattr(by_hand, "apply", by_hand)
            return [grad.double().numpy() for grad in gradients(apply, at, cotangent)]
        if self.kind == RULE:
            return of_rule(by_hand, self.at)
        found = by_hand(*self.point())
        if self.kind == GRADIENT:
            return leaves(found)
        array: Any = np.asarray(dense(found))
        return [array.real, array.imag] if self.kind == COMPLEX else [array]

    @property
    def paths(self) -> tuple[str, ...]:
        """What may be blamed: parameters in JAX's order, arguments of torch, elements.

        They are called as handgrad does: `params['w']`, `weight`, `[4, 1]`, `real[2]`. In a rule
        there is nothing.
        """
        if self.kind == RULE:
            return ()
        if self.kind == OF_TORCH:
            from models.torch_functions.function import leaf_names

            return leaf_names(self.by_hand, self.at)
        if self.kind == GRADIENT:
            from handgrad.data.names import Names

            root = Names.of(self.function, len(self.at)).params
            with_paths = jax.tree_util.tree_leaves_with_path(self.at[0])
            return tuple(f"{root}{jax.tree_util.keystr(path)}" for path, _ in with_paths)
        shape = self.arrays(self.right or self.by_hand)[0].shape
        parts = ("real", "imag") if self.kind == COMPLEX else ("",)
        return tuple(f"{part}{[*at]}" for part, at in product(parts, np.ndindex(shape)))

    def wrong_leaves(self) -> tuple[str, ...]:
        """Find the paths at which the derivative differs from the right one.

        Of elements none if all are wrong. This calls the derivative, so do it after the check: some
        mistakes show in a second call.
        """
        if self.right is None or self.kind == RULE:
            return ()
        try:
            pairs = zip(self.arrays(self.by_hand), self.arrays(self.right), strict=True)
            apart = [_apart(*pair) for pair in pairs]
        except Exception:  # a mistake may raise anything; then there is nothing to compare
            return ()
        if self.kind in (GRADIENT, OF_TORCH):
            wrong = [each.any() for each in apart]
        else:
            wrong = np.concatenate(apart, axis=None)
            if wrong.all():
                return ()
        return tuple(path for path, is_so in zip(self.paths, wrong, strict=True) if is_so)


def _apart(found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return where two arrays differ: everywhere, if they have other shapes."""
    if found.shape != wanted.shape:
        return np.array(True)
    size = np.abs(wanted)
    return ~(np.abs(found - wanted) <= APART * (size + size.max(initial=0) / 100))  # NaN, too


def of_vector(f: Callable[..., Any], at: Any) -> tuple[Callable[[Any], Any], Any]:
    """Return a function of one vector, whose results are a vector too, and its arguments as one."""
    vector, unflatten = ravel_pytree(tuple(at))
    return lambda vector: ravel_pytree(f(*unflatten(vector)))[0], vector


def of_rule(f: Callable[..., Any], at: Any) -> list[Any]:
    """Return the derivatives of a function with a rule, or without, as random vectors give them.

    They are the gradient of the results weighted by a cotangent, the derivative along a tangent,
    and the gradient of a slope.
    """
    rng, (function, x) = np.random.default_rng(0), of_vector(f, at)
    cotangent, square = rng.standard_normal((2, jax.eval_shape(function, x).size))
    tangent, along = rng.standard_normal((2, x.size))

    def loss(x: Any) -> Any:
        return cotangent @ function(x) + square @ function(x) ** 2 / 2

    def defined(way: Callable[[], Any]) -> Any:
        try:
            return way()
        except (TypeError, NotImplementedError):  # the rule does not define it
            return np.nan

    ways = (
        lambda: jax.grad(lambda x: cotangent @ function(x))(x),
        lambda: jax.jvp(function, (x,), (tangent,))[1],
        lambda: jax.grad(lambda x: along @ jax.grad(loss)(x))(x),
    )
    return [defined(way) for way in ways]


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

    @property
    def id(self) -> str:
        """The case's name in stored results."""
        named = f"{self.part}/{self.subject}/{self.what}/{self.draw}"
        return f"{named}/{self.format}" if self.format else named

    @property
    def fresh(self) -> bool:
        """Whether it is the first that its process is asked."""
        return self.questions == TIMES

    def build(self, call: int = 0) -> Question:
        """Build the question about a wrong or a right derivative at one of its points.

        In later calls a gradient whose check is timed is at other parameters.
        """
        if self.part == ELEMENTS:
            n = int(self.subject)
            wrong = elements.planted(n, self.what, self.draw)
            return Question(GRADIENT, elements.loss, wrong, elements.draw(n), elements.gradient)
        of = models(self.questions)[self.subject]
        if self.questions == TIMES:
            _, *inputs = of.draw(np.random.default_rng(0))
            at = of.draw(np.random.default_rng(call))[0], *inputs
            options = OPTIONS.get(self.subject, {})
            return Question(of.kind, of.function, of.by_hand, at, options=options)
        if self.part == MISTAKES:
            return asked(of, of.wrong(self.what), self.draw, self.format, right=of.by_hand)
        way = self.what if self.what in of.rewrites else ""
        return asked(of, of.right(way), self.draw, self.format)


def asked(of: Model, by_hand: Any, draw: int = 0, dtype: str = "", right: Any = None) -> Question:
    """Return the question about a model's derivative, as it is written or otherwise."""
    if of.kind == RULE:
        by_hand, right = by_hand(), right and right()
    return Question(of.kind, of.function, by_hand, point(of, draw, dtype), right)


def point(of: Model, draw: int = 0, dtype: str = "") -> tuple[Any, ...]:
    """Return the arguments of a draw, the same every time, and in every format but rounded."""
    seed = of.name if of.kind == GRADIENT else f"{of.name}/{draw}"
    rng, name = np.random.default_rng(zlib.crc32(seed.encode())), [*of.draws][draw]
    if of.kind == OF_TORCH:
        drawn = import_module("models.torch_functions.function").point
        return drawn(of, rng, name, dtype or "float64")
    return tuple(of.draws[name](rng))


@cache
def models(questions: str) -> Mapping[str, Model]:
    """Return what is asked about, by its name; for functions of torch, that must be installed."""
    if questions == TIMES:
        return SIZED
    if questions == TORCH:
        found = import_module("models.torch_functions.functions").FUNCTIONS
    elif questions == DERIVATIVES:
        found = OF_DERIVATIVES
    else:
        found = [*MODELS, *(model for points in POINTS.values() for model in points)]
    return {model.name: model for model in found}


def simple(questions: str) -> Question:
    """Return the question before the first case.

    For some operations (`triu`) torch wakes a thread for each processor, even for 25 numbers. On a
    busy machine they wait for each other: `gradcheck` of attention took sixty times as long. So
    where its functions are asked about, torch has one thread from then on.
    """
    if questions == TORCH:
        import_module("torch").set_num_threads(1)
    return Case(questions, RIGHT, FIRST[questions], AS_WRITTEN).build()


def cases(questions: str, formats: Sequence[str] = FORMATS, few: bool = False) -> list[Case]:
    """Return all cases of a comparison, or a few; formats are those of torch."""
    if questions == TIMES:
        names, (first, later) = (QUICK_SIZED, QUICK_CALLS) if few else (SIZED, CALLS)
        return [
            Case(TIMES, RIGHT, name, TIMES, at, calls=1 if at else 1 + later)
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
    dtypes = formats if questions == TORCH else ("",)
    return [
        Case(questions, part, of.name, what, draw, dtype)
        for part, dtype, of in product((MISTAKES, RIGHT), dtypes, models(questions).values())
        for what, draw in (right_ways(of, dtype) if part == RIGHT else product(of.mistakes, [0]))
    ]


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
