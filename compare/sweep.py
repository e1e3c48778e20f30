"""Compare both gradients at millions of random cases, each within a bound derived there.

A case is a network's parameters and examples, drawn from the seed and the case's number alone. The
gradient by hand is held to `jax.grad`'s. How far rounding may move them is analysed to first order
at every case, of the third program in the form that autodiff has (`compare.reference`): that is how
far apart two right gradients may be, if the one by hand is no less careful. So the analysis
screens, and `handgrad.check_gradient` rules on what it cannot explain.

One compiled program goes through blocks of cases on all devices of all processes. What it returns
are counts and largest values, which do not depend on who counted what.
"""

import math
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

import manual.article
from compare import experiment, training
from compare.agreement import NAMES, hand_gradient
from compare.compiling import known
from compare.limits import shape
from compare.lockstep import Program
from compare.trace import Trace
from compare.traced.article import trace_article
from compare.traced.kinds import network_of
from compare.traced.network import trace_network
from compare.trees import join, leaves, split
from compare.wording import InputError, quoted
from handgrad import GradientReport, check_gradient
from handgrad.tolerance.rounding import bounded
from manual.arrays import namespace
from manual.network import Network
from models.planted import PLANTS, gradient_in

#: Cases of a block: some dozen arrays of them stay in a processor's cache.
LANES = 1024

#: Elements of gradients that a device computes in a step, a tenth of a second.
_ELEMENTS = 9 * 256 * LANES

#: Most numbers of one case; with more, a block would not fit a cache.
MOST_NUMBERS = 2000

#: Limits on the size of drawn numbers, by dtype: products of several must stay far from overflow.
LIMITS = {"float64": (1e-30, 1e30), "float32": (1e-4, 1e4)}

#: Ulps that need no bound. The last rounding of each side may take half an ulp, and a whole one at
#: a power of two: no bound is smaller.
FEW = 2

#: The lower ends of the histogram's bins, in ulps: 0 alone, above 0, then powers of two.
ENDS = (0.0, 0.0, *(2.0**k for k in range(8)), *(2.0**k for k in range(8, 49, 8)))

#: XLA takes vectors of 256 bits unless told otherwise, and a third more time. Its newer generator
#: of code takes twice the memory and time to compile, for a twentieth less at work.
_OPTIONS = {"xla_cpu_prefer_vector_width": 512, "xla_cpu_use_fusion_emitters": False}

#: The article's network, which is swept with the lines of `manual/article.py`.
ARTICLE = network_of((2, 2, 1), {})

_NO_CASE = np.iinfo(np.int64).max


class Distribution(NamedTuple):
    """What weights or inputs are drawn from: both signs, and sizes up to an end."""

    high: float
    #: None if all numbers between the ends are equally likely; else every power of two from here
    #: to `high` is, and between two of them every number. Both are rounded to powers of two.
    low: float | None = None

    @classmethod
    def parse(cls, option: str, text: str) -> "Distribution":
        """Parse `uniform:5` or `spread:1e-3:1e3`, as an option has it.

        Raises:
            InputError: the text is neither, or its sizes are not positive, finite and in order.
        """
        kind, *sizes = text.split(":")
        try:
            numbers = [float(size) for size in sizes]
        except ValueError:
            numbers = []
        wanted = {"uniform": 1, "spread": 2}.get(kind)
        if wanted != len(numbers) or not all(0 < n < math.inf for n in numbers):
            expected = "uniform:SIZE or spread:LOW:HIGH with positive numbers"
        elif sorted(set(numbers)) != numbers:
            expected = "LOW below HIGH"
        else:
            return cls(*reversed(numbers))
        raise InputError(f"{option} {quoted(text)}; expected {expected}")

    def of(self, drawn: Any) -> Any:
        """Make numbers from such as are drawn uniformly from [-1, 1)."""
        if self.low is None:
            return drawn * self.high
        low = round(math.log2(self.low))
        power = abs(drawn) * max(round(math.log2(self.high)) - low, 1)
        whole = jnp.floor(power)
        return jnp.sign(drawn) * jnp.ldexp(1 + power - whole, low + whole.astype(np.int32))

    def __str__(self) -> str:
        if self.low is None:
            return f"uniform:{self.high:g}"
        return f"spread:{self.low:g}:{self.high:g}"


@dataclass(frozen=True)
class Settings:
    """The gradients to compare, and what the cases are drawn from.

    Raises:
        InputError: a setting is out of range, or contradicts another.
    """

    network: Network
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
        for what, sizes in (("weights", self.weights), ("inputs", self.inputs)):
            if not low <= (sizes.low or sizes.high) <= sizes.high <= high:
                limits = f"sizes from {low:g} to {high:g} in {self.dtype}"
                raise InputError(f"--{what}: got {sizes}, expected {limits}")
        if (numbers := sum(self.sizes)) > MOST_NUMBERS:
            raise InputError(
                f"a case has {numbers:,} numbers; expected at most {MOST_NUMBERS:,}: fewer "
                "parameters or examples"
            )
        if self.plant is not None and not self.is_article:
            raise InputError(
                "--plant: a mistake is planted in the article's network; expected no other one"
            )

    @property
    def is_article(self) -> bool:
        """Whether it is the article's network, with its nine scalars."""
        return self.network == ARTICLE and self.examples == 1

    @property
    def names(self) -> list[str]:
        """The parameters' names: w1 to b3, or w0[i,j] and b0[j], w1[i,j] and so on."""
        if self.is_article:
            return list(NAMES)
        return [
            f"{name}{layer}[{','.join(map(str, at))}]"
            for layer, arrays in enumerate(self.program.like)
            for name, array in zip("wb", arrays, strict=True)
            for at in np.ndindex(array.shape)
        ]

    @property
    def like(self) -> "Case":
        """A case of the shapes that are drawn: for classes, one number an example."""
        n_in, n_out = self.network.sizes[0], self.network.sizes[-1]
        rows = () if self.is_article else (self.examples,)
        targets = () if self.is_article or self.network.loss == "softmax-ce" else (n_out,)
        return Case(self.program.like, np.empty((*rows, n_in)), np.empty((*rows, *targets)))

    @property
    def sizes(self) -> list[int]:
        """How many numbers of a case are parameters, inputs and targets."""
        return [sum(map(np.size, leaves(part).values())) for part in self.like]

    @cached_property
    def program(self) -> Program:
        """The loss, and its gradient by hand or a planted one: some keep what they were given."""
        if not self.is_article:
            return training.program_of(self.network)
        if self.plant is None:
            return experiment.program_of(hand_gradient(self.form))
        return experiment.program_of(gradient_in(PLANTS[self.plant], self.form))


class Case(NamedTuple):
    """The arrays of a case, in the dtype of the sweep."""

    params: Any  #: `manual.article.Parameters`, or layers
    x: Any  #: shape (2,), or (examples, n_in)
    y: Any  #: a number, or shape (examples, n_out)


def case(settings: Settings, number: int) -> Case:
    """Draw the case of that number, in NumPy."""
    block, lane = divmod(number, LANES)
    with jax.enable_x64(True):
        numbers = drawn(settings, np.int64(block))[:, lane]
        return jax.device_get(_arranged(settings, numbers))


def looked_at(settings: Settings, number: int) -> tuple[Case, GradientReport, dict[str, Any]]:
    """Return a case, the judge's report on its gradient by hand, and its numbers for JSON."""
    at, program = case(settings, number), settings.program
    with np.errstate(all="ignore"):  # the judge reports NaN and infinity
        report = check_gradient(program.gradient, program.loss, *at, points=0)
    params = dict(zip(settings.names, map(float, join(at.params, program.like)), strict=True))
    inputs = {"x": np.asarray(at.x).tolist(), "y": np.asarray(at.y).tolist()}
    return at, report, {"case": number, "params": params, "inputs": inputs}


def trace(settings: Settings, at: Case, number: int) -> Trace:
    """Trace the right derivation at the first example of a case, in float64.

    Raises:
        InputError: a number of the pass is not finite.
    """
    about = {"whose": f"case {number}", "parameters": f"parameters of case {number}"}
    try:
        if settings.is_article:
            params = manual.article.Parameters(*map(float, at.params))
            return trace_article(params, at.x, float(at.y), settings.form, about=about)
        return trace_network(settings.network, at.params, at.x[0], at.y[0], about=about)
    except InputError as error:
        raise InputError(f"case {number}: {error}") from error


def drawn(settings: Settings, block: Any) -> Any:
    """Draw the numbers of a block's cases: shape (numbers, LANES)."""
    key = jax.random.key(np.uint32(settings.seed))
    for word in (block >> 32, block):  # a word has 32 bits
        key = jax.random.fold_in(key, jnp.asarray(word).astype(np.uint32))
    numbers = jax.random.uniform(key, (sum(settings.sizes), LANES), settings.dtype, -1, 1)
    weights, x, y = jnp.split(numbers, np.cumsum(settings.sizes)[:-1])
    return jnp.concatenate([settings.weights.of(weights), settings.inputs.of(x), (y + 1) / 2])


def _arranged(settings: Settings, numbers: Any) -> Case:
    """Arrange the numbers of one case."""
    at = split(numbers, settings.like)
    if settings.network.loss == "softmax-ce":
        classes = settings.network.sizes[-1]
        every = jnp.arange(classes, dtype=at.y.dtype)[None, :]
        at = at._replace(y=(jnp.floor(at.y[:, None] * classes) == every).astype(at.x.dtype))
    return at


def compared(settings: Settings, numbers: Any) -> tuple[Any, Any, Any]:
    """Return both gradients of one case, and how far apart they may be, each like `params`."""
    at, program = _arranged(settings, numbers), settings.program
    try:
        by_hand = program.gradient(*at)
    except jax.errors.JAXTypeError:
        by_hand = _in_numpy(settings, numbers)
    _, error = bounded(jax.grad(program.reference))(*at)
    return by_hand, jax.grad(program.loss)(*at), error


def _in_numpy(settings: Settings, numbers: Any) -> Any:
    """Compute a gradient of the article's network that JAX cannot trace.

    It is called in another thread, without 64-bit mode: numbers are passed as 32-bit words.
    """
    words = jax.lax.bitcast_convert_type(numbers, np.uint32)
    shape = (settings.sizes[0], *words.shape[1:])

    def of_many(words: Any) -> np.ndarray:
        cases = np.asarray(words).view(settings.dtype).reshape(len(words), -1)
        grads = settings.program.gradient(*split(cases, settings.like))
        return np.stack(grads, -1).astype(settings.dtype).view(np.uint32).reshape(-1, *shape)

    result = jax.ShapeDtypeStruct(shape, np.uint32)
    found = jax.pure_callback(of_many, result, words, vmap_method="broadcast_all")
    return list(jax.lax.bitcast_convert_type(found, settings.dtype))


class Tally(NamedTuple):
    """Counts and largest values of the cases so far."""

    disagreements: Any  #: cases with an element further apart than its bound; int64
    overflowed: Any  #: other cases with a bound that is not finite, and needed; int64
    judged: Any  #: elements larger than their bound; int64, (parameters,)
    reached: Any  #: elements at least so many ulps apart, `_REACHES`; int64, (bins,)
    ulps: Any  #: the largest distance of each parameter; (parameters,)
    #: The largest distance over its bound, by lane: infinite for NaN, 1 where the bound is not
    #: finite, below 0 where there is no case; (LANES,).
    ratio: Any
    case: Any  #: the first case with that ratio; int64, (LANES,)


_REACHES = np.array([0.0, np.finfo(np.float32).tiny, *ENDS[2:]])


def merged(parts: Tally) -> Tally:
    """Merge tallies along their first axis, in whatever order; of NumPy or of JAX."""
    ratio = parts.ratio.max(0)
    first = namespace(ratio).where(parts.ratio == ratio[None], parts.case, _NO_CASE).min(0)
    sums = jax.tree.map(lambda leaf: leaf.sum(0), parts)
    return sums._replace(ulps=parts.ulps.max(0), ratio=ratio, case=first)


def tallied(gradients: Any, cases: Any, total: Any) -> Tally:
    """Tally a block.

    Args:
        gradients: both, and how far apart they may be: pytrees, the lane as last axis.
        cases: the cases' numbers, int64, shape (LANES,).
        total: how many cases there are; the others are not counted.
    """
    by_hand, by_autodiff, bound = map(_stacked, gradients)
    is_case, dtype = cases < total, by_hand.dtype
    gap = jnp.where(is_case[None], abs(by_hand - by_autodiff), -1)
    bound = jnp.where(is_case[None], bound, jnp.inf)
    size = jnp.maximum(abs(by_hand), abs(by_autodiff))
    ulps = _in_ulps(gap, size)
    ratio = jnp.where(gap > 0, gap / bound, 0)  # 0 / 0 is no NaN
    ratio = jnp.where(gap < jnp.inf, ratio, jnp.inf)
    ratio = jnp.where(bound < jnp.inf, ratio, (ulps > FEW).astype(dtype)).max(0)
    ratio = jnp.where(is_case, ratio, -1)

    def counted(which: Any, axes: Any) -> Any:
        # In floats, which XLA adds up faster; they are exact up to 2²⁴.
        return which.astype(dtype).sum(axes).astype(np.int64)

    return Tally(
        disagreements=counted(ratio > 1, 0),
        overflowed=counted(ratio == 1, 0),
        judged=counted(size > bound, 1),
        reached=counted(ulps[None] >= _REACHES.astype(dtype)[:, None, None], (1, 2)),
        ulps=ulps.max(1),
        ratio=ratio,
        case=cases,
    )


def _stacked(grads: Any) -> Any:
    """Stack gradients, whose last axis is the lane, into shape (parameters, LANES)."""
    return jnp.concatenate([leaf.reshape(-1, LANES) for leaf in jax.tree.leaves(grads)])


def _in_ulps(gap: Any, size: Any) -> Any:
    """Return distances in ulps of `size`, at least of the smallest normal number.

    Those of NaN and infinity are infinite.
    """
    info, bits = jnp.finfo(size.dtype), f"uint{8 * size.dtype.itemsize}"
    exponent = np.asarray(np.inf, size.dtype).view(bits)
    power = jax.lax.bitcast_convert_type(jnp.maximum(size, info.tiny), bits) & exponent
    ulps = gap / jax.lax.bitcast_convert_type(power, size.dtype) / info.eps
    return jnp.where(gap < jnp.inf, ulps, jnp.inf)


def _program(settings: Settings, requested: int, each: int) -> tuple[Callable[[Any], Tally], Tally]:
    """Compile a step: every device goes through `each` blocks.

    Returns:
        (the first block) -> the tally of the step; and the tally of no case.
    """
    mesh = Mesh(np.asarray(jax.devices()), ("devices",), axis_types=(AxisType.Auto,))

    def on_device(blocks: Any) -> Tally:
        def of_block(block: Any) -> Tally:
            gradients = jax.vmap(partial(compared, settings), 1, -1)(drawn(settings, block))
            return tallied(gradients, block * LANES + np.arange(LANES), requested)

        found = merged(jax.lax.map(of_block, blocks))
        return jax.tree.map(lambda leaf: leaf[None], found)

    by_device = PartitionSpec("devices")
    all_devices = jax.shard_map(
        on_device, mesh=mesh, in_specs=by_device, out_specs=by_device, check_vma=False
    )

    def step(first: Any) -> Tally:
        return merged(all_devices(first + np.arange(each * mesh.size)))

    everywhere = NamedSharding(mesh, PartitionSpec())
    compiled = jax.jit(step, out_shardings=everywhere, compiler_options=known(_OPTIONS))
    lowered = compiled.lower(np.int64(0))
    none = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), lowered.out_info)
    return lowered.compile(), none._replace(ratio=none.ratio - 1)


@dataclass(frozen=True)
class SweepResult:
    """The result of a sweep."""

    settings: Settings
    requested: int  #: the number of cases requested
    cases: int  #: the number of cases done, from case 0 on
    seconds: float  #: without compilation
    is_broken: bool  #: whether another process went
    tally: Tally  #: in NumPy

    @property
    def suspects(self) -> list[tuple[int, float]]:
        """Cases and their ratios to the bound, largest first; one for each lane."""
        pairs = zip(self.tally.case.tolist(), self.tally.ratio.tolist(), strict=True)
        return sorted(
            (pair for pair in pairs if pair[1] >= 0), key=lambda pair: (-pair[1], pair[0])
        )

    def judge(self, first: int, most: int) -> tuple[list[dict[str, Any]], str]:
        """Have handgrad's judge rule on the most suspicious cases.

        Args:
            first: how many in any case, since both gradients may share a mistake.
            most: how many if there is no bound, or a distance beyond it, until it finds one wrong.

        Returns:
            The cases with their rulings, for JSON, and the verdict. It is `disagree` where the
            judge finds a gradient by hand wrong; or that its digits are lost, if its distance is
            beyond the bound. It is `undecidable` where the judge does not find all distances right
            that no bound explains, or where a parameter has no element larger than its bound. What
            it cannot decide of a case within its bound changes nothing.
        """
        found, acquitted, wrong = [], 0, False
        for number, ratio in self.suspects[:most]:
            if len(found) >= first and (wrong or ratio < 1):
                break
            _, report, about = looked_at(self.settings, number)
            rulings = {"bound_ratio": ratio, "ruling": report.verdict, "says": report.headline}
            found.append(about | rulings)
            wrong |= report.verdict == "disagree" or (ratio > 1 and report.verdict == "imprecise")
            acquitted += ratio >= 1 and report.verdict == "agree"
        if wrong:
            return found, "disagree"
        unexplained = self.tally.disagreements + self.tally.overflowed
        all_known = unexplained == acquitted and all(self.tally.judged)
        return found, "agree" if all_known else "undecidable"

    def as_object(self) -> dict[str, Any]:
        """Return everything but the suspects and the verdict, for JSON."""
        settings, names, ends = self.settings, self.settings.names, [*ENDS, math.inf]
        counts = (-np.diff(self.tally.reached, append=0)).tolist()
        return {
            "network": shape(settings.network.sizes),
            "cases": self.cases,
            "requested": self.requested,
            "seconds": self.seconds,
            "cases_per_second": self.cases / self.seconds if self.seconds else None,
            "disagreements": int(self.tally.disagreements),
            "overflowed": int(self.tally.overflowed),
            "judged": dict(zip(names, self.tally.judged.tolist(), strict=True)),
            "max_ulps": dict(zip(names, self.tally.ulps.tolist(), strict=True)),
            "max_bound_ratio": max([0.0, *(ratio for _, ratio in self.suspects)]),
            "histogram": [
                {"from": low, "below": below, "elements": count}
                for (low, below), count in zip(pairwise(ends), counts, strict=True)
            ],
            "devices": jax.device_count(),
            "processes": jax.process_count(),
            "dtype": settings.dtype,
            "weights": str(settings.weights),
            "inputs": str(settings.inputs),
            **{name: getattr(settings, name) for name in ("examples", "seed", "plant")},
        }


def sweep(
    settings: Settings,
    requested: int,
    on_step: Callable[[int], Any] = lambda _: False,
) -> SweepResult:
    """Compare cases 0 to `requested` - 1, or until a stop is requested.

    Args:
        settings: the settings of the sweep.
        requested: the number of cases.
        on_step: called with the number of cases done after each step, some tenths of a second;
            says whether to stop.

    Raises:
        InputError: other processes were given other options.
    """
    blocks, devices = -(-requested // LANES), jax.device_count()
    work = settings.sizes[0] * settings.examples * LANES
    each = min(max(1, _ELEMENTS // work), -(-blocks // devices))
    with jax.enable_x64(True), jax.default_matmul_precision("highest"):
        given = np.int64(zlib.crc32(repr((settings, requested)).encode()))
        if np.unique(multihost_utils.process_allgather(given)).size > 1:
            raise InputError("the processes were given different options; expected the same ones")
        (step, found), done = _program(settings, requested, each), 0
        began, is_broken = time.perf_counter(), False
        for first in range(0, blocks, each * devices):
            try:
                part = jax.device_get(step(np.int64(first)))
                found = merged(Tally(*map(np.stack, zip(found, part, strict=True))))
                done = min(requested, (first + each * devices) * LANES)
                stops = multihost_utils.process_allgather(np.asarray(bool(on_step(done))))
            except jax.errors.JaxRuntimeError:
                if jax.process_count() == 1:
                    raise
                is_broken = True  # keep the cases done so far
                break
            if np.any(stops):
                break
        seconds = time.perf_counter() - began
    return SweepResult(settings, requested, done, seconds, is_broken, found)
