"""The benchmark cases: problems, sizes, dtypes and threads; a new case is a row of `CASES`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks import names
from benchmarks.problems.gradient import mass_problem, network_problem, sample_problem
from benchmarks.problems.training import Problem, training_problem
from benchmarks.results import Place
from manual.network import Network

#: Defaults of a network: hidden units, examples, inputs, outputs.
WIDTH, BATCH, INPUTS, OUTPUTS = 64, 64, 64, 10

#: One thread by default: the cost of waking a second one, and the load of other programs, vary by
#: more than the differences of interest. All threads as well, for sizes worth sharing.
ONE, ALL = "1", "all"


@dataclass
class Spec(Place):
    """One cell, before it is timed."""

    leave_out: tuple[str, ...] = ()  #: contenders left out of this set to save time

    def problem(self) -> Problem:
        """Build the problem to time."""
        return CASES[self.case].problem(self)


@dataclass(frozen=True)
class Case:
    """A problem whose size varies along an axis, or along two."""

    about: str  #: a short description
    problem: Callable[[Spec], Problem]
    full: Sequence[tuple[int, ...]]  #: the sizes of the full set
    title: str = ""  #: of its figure, if it has several sizes
    axis: str = ""  #: the meaning of the size there
    quick: Sequence[tuple[int, ...]] = ()  #: the sizes of the quick set
    dtype: str = "float32"  #: the default dtype
    rows: Sequence[str] = ()  #: the contenders of this case; () for all
    others: Mapping[tuple[str, str], Sequence[tuple[int, ...]]] = field(default_factory=dict)
    """Further sizes of the full set, by dtype and threads."""
    dtypes: Sequence[str] = ("float32", "float64")  #: the supported dtypes


def _mlp(
    spec: Spec, *hidden: int, batch: int = BATCH, inputs: int = INPUTS, activation: str = "relu"
) -> Problem:
    network = Network((inputs, *hidden, OUTPUTS), activation=activation, loss="softmax-ce")
    return network_problem(network, batch, spec.dtype)


def _batch(spec: Spec) -> Problem:
    network = Network((2, 2, 1), activation="sigmoid", output="sigmoid", loss="mse")
    return network_problem(network, spec.size[0], spec.dtype)


def _sizes(*numbers: int) -> list[tuple[int, ...]]:
    return [(number,) for number in numbers]


CASES: dict[str, Case] = {
    "sample": Case(
        about="one gradient of the article's 2-2-1 network, one sample",
        problem=lambda spec: sample_problem(spec.dtype),
        quick=_sizes(1),
        full=_sizes(1),
        dtype="float64",
        others={("float32", ONE): _sizes(1)},
    ),
    "batch-2-2-1": Case(
        title="One gradient of the 2-2-1 network, by its batch",
        about="the 2-2-1 network, the mean loss of many examples",
        axis="examples",
        problem=_batch,
        full=_sizes(4, 4**2, 4**3, 4**5, 4**7, 4**10),
        dtype="float64",
        others={("float32", ONE): _sizes(4**5), ("float64", ALL): _sizes(4**5, 4**10)},
    ),
    "training": Case(
        about="1000 epochs of the article's training, 4 updates each",
        problem=lambda spec: training_problem(),
        quick=_sizes(1000),
        full=_sizes(1000),
        dtype="float64",
        dtypes=("float64",),
    ),
    "mass": Case(
        title="The gradients of many 2-2-1 networks at once",
        about="independent 2-2-1 networks, one sample each",
        axis="networks",
        problem=lambda spec: mass_problem(spec.size[0], spec.dtype),
        quick=_sizes(10**3),
        full=_sizes(1, 10, 10**2, 10**3, 10**4, 10**6),
        dtype="float64",
        others={("float32", ONE): _sizes(10**4), ("float64", ALL): _sizes(10**6)},
    ),
    "digits": Case(
        about="784-1024-1024-10, 512 examples: a network for handwritten digits",
        problem=lambda spec: _mlp(spec, 1024, 1024, batch=spec.size[0], inputs=784),
        quick=_sizes(512),
        full=_sizes(512),
        others={("float32", ALL): _sizes(512), ("float64", ONE): _sizes(512)},
    ),
    "width": Case(
        title="One gradient of an MLP, by its width",
        about=f"two hidden layers of equal width, {BATCH} examples",
        axis="units a hidden layer",
        problem=lambda spec: _mlp(spec, spec.size[0], spec.size[0]),
        quick=_sizes(64),
        full=_sizes(2, 8, 16, 64, 256, 1024, 4096),
        others={("float64", ONE): _sizes(64, 1024), ("float32", ALL): _sizes(64, 1024)},
    ),
    "depth": Case(
        title="One gradient of an MLP, by its depth",
        about=f"hidden layers of {WIDTH} tanh units, {BATCH} examples",
        axis="hidden layers",
        # Behind 32 layers rounding would turn some rectifier's answer.
        problem=lambda spec: _mlp(spec, *[WIDTH] * spec.size[0], activation="tanh"),
        full=_sizes(1, 4, 16, 32),
    ),
    "batch": Case(
        title="One gradient of an MLP, by its batch",
        about=f"two hidden layers of {WIDTH} units",
        axis="examples",
        problem=lambda spec: _mlp(spec, WIDTH, WIDTH, batch=spec.size[0]),
        full=_sizes(1, 8, 64, 512, 8192),
    ),
    "diagonal": Case(
        title="One gradient of an MLP, by its width and batch together",
        about="width and batch alike, two hidden layers",
        axis="units a hidden layer, and examples",
        problem=lambda spec: _mlp(spec, spec.size[0], spec.size[0], batch=spec.size[0]),
        full=_sizes(4, 16, 64, 256, 1024),
    ),
    "map": Case(
        about="two hidden layers, width by batch",
        problem=lambda spec: _mlp(spec, spec.size[0], spec.size[0], batch=spec.size[1]),
        full=[(width, batch) for width in (4, 32, 256, 1024) for batch in (1, 8, 64, 512)],
        rows=(names.HAND, names.HAND_JIT, names.GRAD),
    ),
}

#: Contenders of minor interest: timed in the full set, and in small cases.
BESIDE = (
    *(names.HAND_JIT_ARTICLE, names.GRAD_AOT, names.FROM_HOST, names.IN_NUMPY, names.PUBLIC),
    *(names.FORWARD, names.DIFFERENCES),
)

#: Cases in which other libraries are timed by default; `--contender` times them anywhere.
WITH_PEERS = ("sample", "digits")


#: The sizes that say most on a GPU, by case, the most informative first, as the last ones may be
#: left out for lack of time.
ON_GPU = {
    "digits": _sizes(512),
    "mass": _sizes(10**6, 10**3),
    "width": _sizes(64, 1024, 4096),
    "sample": _sizes(1),
    "training": _sizes(1000),
    "batch-2-2-1": _sizes(4**10, 4),
    "batch": _sizes(8192),
}


def specs(
    cases: Sequence[str] = (),
    dtypes: Sequence[str] = (),
    threads: Sequence[str] = (),
    device: str = "cpu",
    full: bool = False,
    gpu: bool = False,
) -> list[Spec]:
    """Return the cells that are chosen, in order, each once; what is empty, the set decides.

    Args:
        cases: their names.
        dtypes: those that a case supports.
        threads: `1`, `all`.
        device: where JAX's rows run.
        full: whether all sizes are chosen, not the quick ones.
        gpu: whether the sizes of `ON_GPU` are.
    """
    found: dict[str, Spec] = {}
    # With a GPU the processor only dispatches and checks; it is not limited to one thread.
    usual = ALL if device == "gpu" else ONE
    for name in cases or (ON_GPU if gpu else CASES):
        case = CASES[name]
        # A case requested by name is never empty.
        sizes = case.full if full or (cases and not case.quick) else case.quick
        sizes = ON_GPU.get(name, ()) if gpu else sizes
        kinds = {
            (dtype, count): sizes
            for dtype in dtypes or [case.dtype]
            for count in threads or [usual]
            if dtype in case.dtypes
        }
        if full and not (dtypes or threads or device == "gpu"):
            kinds |= case.others
        for kind, chosen in kinds.items():
            first = kind == (case.dtype, ONE)
            beside = () if first and (full or name == "sample") else BESIDE
            leave_out = (*beside, *(() if first and name in WITH_PEERS else names.PEERS))
            if case.rows:
                leave_out = tuple(each for each in names.CONTENDERS if each not in case.rows)
            for size in chosen:
                spec = Spec(name, tuple(size), *kind, device=device, leave_out=leave_out)
                found[spec.label] = spec
    return [*found.values()]
