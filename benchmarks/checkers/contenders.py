"""The checkers that are compared, and how each is asked about each kind of derivative.

Each is run as its documentation describes, with its defaults, which are meant for float64. Those
that call a function in JAX get it compiled, of second derivatives JAX's own gradient, which is
right; so what the derivative by hand is compared with always is.
"""

import inspect
import linecache
import math
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.flatten_util import ravel_pytree

from benchmarks.checkers.cases import (
    DERIVATIVES,
    NO_ANSWER,
    RIGHT,
    TORCH,
    WRONG,
    Question,
    of_vector,
)
from benchmarks.checkers.results import Answer
from benchmarks.ready import HINT, leaves
from models.model import COMPLEX, GRADIENT, HESSIAN, JACOBIAN, OF_TORCH, PRODUCT, RULE

#: `handgrad`'s verdicts; lost digits are a warning, not a false alarm.
VERDICTS = {"agree": RIGHT, "imprecise": RIGHT, "disagree": WRONG, "undecidable": NO_ANSWER}

#: Findings that blame no parameter: lost digits, and another valid choice at a kink. And those
#: whose place is that of a pair of elements, one of which may be right.
NO_BLAME, OF_PAIRS = ("rounding", "convention"), ("symmetry",)

#: A sentence's reference to lines of the forward pass: a file, and their numbers.
LINES = re.compile(r"\(forward pass: ([^,)]+), lines? ([\d, ]+\d)")

#: SciPy's function returns the norm of a difference and leaves the verdict to its caller. Here a
#: gradient is wrong if that exceeds so many times the step, the square root of float64's eps, times
#: the gradient's norm (or 1). A forward difference errs by step · |f″| / 2 and by step · |f|; the
#: factor allows curvatures and losses a hundred times the size of the gradient.
SCIPY_ROOM = 100.0

#: numdifftools returns a derivative and an estimate of its error, and compares nothing. Here an
#: element is wrong that is off by more than so many times the estimate, which is what its own tests
#: allow, and by more than `NOISE` times the largest element (or 1). For the estimate is the spread
#: of several extrapolations, and may be 0 where these agree by chance; they are differences over
#: steps down to some 1e-4 of x, which lose four of sixteen digits.
NUMDIFF_ROOM, NOISE = 100.0, 1e-12

#: How often the reference's own error a kernel may be off, in the tests of attention kernels, and
#: the number that they add and subtract again to see what the format alone rounds.
TIMES, NUDGE = 2.0, 0.3


def by_handgrad(question: Question) -> Answer:
    """Run handgrad's check of that kind at the given point and its eight default ones."""
    report = report_on(question)
    found, verdict = report.findings, report.verdict
    blamed = [_blamed(question, each) for each in found if each.leaf and each.kind not in NO_BLAME]
    first = report.trial.outcomes[0].ruling if question.kind == GRADIENT else None
    return Answer(
        VERDICTS[verdict],
        reason=verdict if verdict in ("undecidable", "imprecise") else "",
        leaves=tuple(dict.fromkeys(filter(None, blamed))),
        kinds=tuple(dict.fromkeys(each.kind for each in found)),
        message=report.headline,
        lines=_named_lines(question, report.diagnoses) if question.kind == OF_TORCH else (),
        points=report.points,
        judged=int(first.reference.known.sum()) if first else 0,
    )


def report_on(question: Question) -> Any:
    """Return the report of handgrad's check of that kind."""
    import handgrad

    function, by_hand, options = question.function, question.by_hand, question.options
    if question.kind == OF_TORCH:
        return import_module("handgrad.torch").check_function(by_hand, *question.at, **options)
    if question.kind == RULE:
        return handgrad.check_custom(by_hand, *question.point(), order=2, **options)
    if question.kind == PRODUCT:
        x, v, *args = question.point()
        return handgrad.check_hvp(by_hand, function, x, *args, v=v, **options)
    checks = {JACOBIAN: handgrad.check_jacobian, HESSIAN: handgrad.check_hessian}
    check = checks.get(question.kind, handgrad.check_gradient)
    return check(by_hand, function, *question.point(), **options)


def _blamed(question: Question, found: Any) -> str:
    if question.kind in (GRADIENT, OF_TORCH):
        return found.leaf
    if found.index is None or found.kind in OF_PAIRS:
        return ""
    part = found.leaf.rpartition(".")[2] if question.kind == COMPLEX else ""
    return f"{part}{[*found.index]}"


def _named_lines(question: Question, diagnoses: Any) -> tuple[str, ...]:
    """Return the lines of a function's file that diagnoses refer to."""
    file = inspect.getsourcefile(inspect.unwrap(question.by_hand.forward)) or ""
    return tuple(
        linecache.getline(file, int(number)).strip()
        for each in diagnoses
        for name, found in LINES.findall(each.says)
        if Path(name).name == Path(file).name
        for number in found.split(",")
    )


def by_test_util(question: Question) -> None:
    """Run `jax.test_util`: one random direction, central differences.

    `check_grads` on a rule, in its modes, at order 2; and on a loss whose rule is its gradient.
    Of other derivatives `check_jvp` and `check_vjp`, which take what multiplies a vector by the
    matrix.
    """
    from jax.test_util import check_grads, check_jvp, check_vjp

    x, *_ = question.point()
    if question.kind == GRADIENT:
        return check_grads(_as_rule(question), (x,), order=1, modes=["rev"])
    if question.kind == RULE:
        return check_grads(question.by_hand, question.point(), order=2, modes=question.modes)
    fun, by_hand = _array(question.compiled), question.by_hand
    if question.kind == PRODUCT:  # the matrix is symmetric
        forwards = backwards = lambda v: by_hand(x, np.asarray(v), *question.args)
    elif question.kind == COMPLEX:
        forwards, backwards = None, question.found.__mul__
    else:
        forwards, backwards = question.found.__matmul__, question.found.T.__matmul__
    if forwards:
        check_jvp(fun, lambda at, v: (fun(*at), forwards(v[0])), (x,))
    return check_vjp(fun, lambda x: (fun(x), lambda c: (backwards(c),)), (x,))


def _as_rule(question: Question) -> Any:
    """Return a loss of its parameters as a `custom_vjp` with the gradient as backward pass."""
    _, *inputs = question.point()

    def backward(kept: Any, cotangent: Any) -> tuple[Any]:
        grads = question.by_hand(jax.tree.map(np.asarray, kept), *inputs)
        return (jax.tree.map(lambda grad: grad * cotangent, grads),)

    function = jax.custom_vjp(question.compiled)
    function.defvjp(lambda params: (question.compiled(params), params), backward)
    return function


def gradcheck(question: Question) -> None:
    """Run `torch.autograd.gradcheck`: central differences along every element.

    It is given the class, or one whose backward pass is the gradient of a loss.
    """
    torch = import_module("torch")
    if question.kind == OF_TORCH:
        fresh = import_module("models.torch_functions.function").fresh
        apply, given = question.by_hand.apply, fresh(question.at)
    else:
        apply = _in_torch(torch, question)
        given = tuple(torch.tensor(leaf, requires_grad=True) for leaf in leaves(question.at[0]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the format is not float64
        torch.autograd.gradcheck(apply, given)


def _in_torch(torch: Any, question: Question) -> Any:
    """Return a loss as a function of torch, of the leaves of its parameters."""
    params, *inputs = question.point()
    tree = jax.tree.structure(params)

    def given(tensors: Any) -> Any:
        return tree.unflatten([tensor.detach().numpy() for tensor in tensors])

    class Loss(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, *tensors: Any) -> Any:
            context.save_for_backward(*tensors)
            return torch.tensor(float(question.compiled(given(tensors))), dtype=torch.float64)

        @staticmethod
        def backward(context: Any, cotangent: Any) -> Any:
            grads = leaves(question.by_hand(given(context.saved_tensors), *inputs))
            return tuple(torch.from_numpy(np.array(grad)) * cotangent for grad in grads)

    return Loss.apply


class Matrix(NamedTuple):
    """A function of one real vector, and its derivatives by hand, as real numbers."""

    function: Callable[[np.ndarray], Any]
    found: np.ndarray
    x: np.ndarray
    loss: Callable[[np.ndarray], Any] | None = None  #: whose gradient the function is, if it is


def matrices(question: Question) -> Iterator[Matrix]:
    """Yield what SciPy and numdifftools can be asked about: one, of a rule one for each mode."""
    if question.kind == RULE:
        yield from _of_rule(question)
        return
    x, *rest = question.point()
    if question.kind == GRADIENT:
        (vector, _), grads = ravel_pytree(x), question.arrays(question.by_hand)
        grad = np.concatenate(grads, axis=None)
        yield Matrix(_array(question.compiled_of_vector), grad, np.array(vector))
        return
    f, found = _array(question.compiled), question.found
    if question.kind == PRODUCT:  # by the gradient along v, as a function of one number
        yield Matrix(lambda t: f(x + t[0] * rest[0]), found[:, None], np.zeros(1))
    elif question.kind == COMPLEX:  # by pairs of real numbers, as they have no complex ones
        slopes, pair = (np.concatenate([z.real, s * z.imag]) for z, s in ((found, -1), (x, 1)))
        yield Matrix(lambda z: f(z[: x.size] + 1j * z[x.size :]), slopes[None, :], pair)
    else:
        loss = _array(jax.jit(lambda x: question.function(x, *rest)))
        yield Matrix(f, found, x, loss if question.kind == HESSIAN else None)


def _of_rule(question: Question) -> Iterator[Matrix]:
    """By JAX's Jacobians with the rule, in its modes, and its Hessian of a sum with weights."""
    by_rule, _ = of_vector(question.by_hand, question.point())
    plain, start = of_vector(question.function, question.point())
    x, fun = np.asarray(start), _array(jax.jit(plain))
    for mode in question.modes:
        jacobian = jax.jacfwd if mode == "fwd" else jax.jacrev
        yield Matrix(fun, np.asarray(jacobian(by_rule)(x)), x)
    weights = np.random.default_rng(0).standard_normal(fun(x).shape)
    gradient = jax.jit(jax.grad(lambda vector: weights @ plain(vector)))
    hessian = jax.jacrev(jax.grad(lambda vector: weights @ by_rule(vector)))
    yield Matrix(_array(gradient), np.asarray(hessian(x)), x)


def check_grad(question: Question) -> Answer:
    """Run `scipy.optimize.check_grad`, which takes functions of several results as well.

    Forward differences along every element of x; the verdict is ours, see `SCIPY_ROOM`.
    """
    from scipy.optimize import check_grad

    said = []
    for one in matrices(question):
        error = check_grad(one.function, lambda _, found=one.found: found, one.x)
        size = max(1.0, float(np.linalg.norm(one.found)))
        limit = SCIPY_ROOM * np.sqrt(np.finfo(np.float64).eps) * size
        said.append(f"{error:.3g}; our limit {limit:.3g}")
        if not error <= limit:  # NaN, too
            return Answer(WRONG, message=said[-1])
    return Answer(RIGHT, message="; ".join(said))


def numdifftools(question: Question) -> Answer | None:
    """Run numdifftools: `Hessian` of a loss, `Jacobian` of whatever else.

    Central differences with several steps, extrapolated; the verdict is ours, see `NUMDIFF_ROOM`.
    """
    nd = import_module("numdifftools")
    for one in matrices(question):
        asked = nd.Hessian(one.loss, full_output=True) if one.loss else None
        found = (asked or nd.Jacobian(one.function, full_output=True))(one.x)
        estimate, error = (np.reshape(each, one.found.shape) for each in found[:2])
        noise = NOISE * max(1.0, float(np.max(np.abs(estimate))))
        gap, allowed = np.abs(one.found - estimate), NUMDIFF_ROOM * error + noise
        if not (gap <= allowed).all():  # NaN, too
            at = int(np.argmax(gap / allowed))
            said = f"{gap.flat[at]:.3g}; our limit {allowed.flat[at]:.3g}"
            found_there = replace(question, right=None)  # whose shape may be another
            return Answer(WRONG, leaves=found_there.paths[at:][:1], message=said)
    return None


def twice(question: Question) -> Answer:
    """Apply the rule of kernels' tests: at most twice as wrong as the reference in that format.

    The exact gradient is the reference's in float64, rounded to the format; each argument's largest
    errors are compared, with room for what the format rounds. What comes back is random. Over
    float64 there is no format in which torch could compute what is exact.
    """
    from models.torch_functions.function import cotangent_like, gradients, widened

    at, reference = question.at, question.function
    if "torch.float64" in {str(getattr(value, "dtype", "")) for value in at}:
        return Answer(NO_ANSWER, reason="no wider format")
    cotangent = cotangent_like(reference(*at))
    exact = gradients(reference, widened(at), cotangent)
    theirs = gradients(reference, at, cotangent)
    ours = gradients(question.by_hand.apply, at, cotangent)
    blamed, says = [], []
    for path, yours, other, wide in zip(question.paths, ours, theirs, exact, strict=True):
        true = wide.to(yours.dtype)
        gaps = yours - true, other - true, true + NUDGE - NUDGE - true
        error, others, rounds = (float(gap.abs().max()) for gap in gaps)
        if not error <= (room := TIMES * others + 2 * rounds):  # NaN, too
            blamed.append(path)
            says.append(f"{path}: {error:.3g}, at most {room:.3g}")
    return Answer(WRONG if blamed else RIGHT, leaves=tuple(blamed), message="; ".join(says))


def _array(f: Callable[..., Any]) -> Callable[..., np.ndarray]:
    return lambda *args: np.asarray(f(*args))


#: Patterns of messages by the kind of mistake in a gradient's form; the first match counts.
WORDS = {
    "shape": re.compile(r"\bshapes?\b|broadcast|dimension|\bsize of tensor", re.IGNORECASE),
    "dtype": re.compile(r"\bdtypes?\b", re.IGNORECASE),
    "structure": re.compile(r"pytree|incorrect number of gradients", re.IGNORECASE),
    "not-repeatable": re.compile(r"not reentrant|different values", re.IGNORECASE),
    "mutation": re.compile(r"read-only", re.IGNORECASE),
}

#: JAX names a leaf of the backward pass's result, "at output[0]['w'] the bwd rule ...", ...
JAX_LEAF = "at output[0]{key} "

#: ... and torch counts its inputs, which are our leaves.
TORCH_INDEX = re.compile(r"with respect to input (\d+)|invalid gradient at index (\d+)")


def stopped(paths: Sequence[str], error: Exception) -> Answer:
    """Interpret the exception of a checker, or of a gradient that it called.

    One about the form of a gradient counts as caught, as its message says that a shape is wrong.
    Any other is no answer.
    """
    text = str(error)
    # Torch's GradcheckError is a RuntimeError, distinguished from others by its name only.
    ruled = isinstance(error, AssertionError) or type(error).__name__ == "GradcheckError"
    # Of a ruling the first line; the numbers below it name no kind.
    about = text.strip().split("\n")[0] if ruled else text
    named = [kind for kind, pattern in WORDS.items() if pattern.search(about)][:1]
    line = f"{type(error).__name__}: {' '.join(text.split())}"
    if not (ruled or named):
        return Answer(NO_ANSWER, reason="error", message=line)
    return Answer(WRONG, leaves=_in_message(text, paths), kinds=tuple(named), message=line)


def _in_message(message: str, paths: Sequence[str]) -> tuple[str, ...]:
    """Return the parameters that a message names, by path or by torch's index of inputs."""
    if found := TORCH_INDEX.search(message):
        return tuple(paths[int(found[1] or found[2]) :][:1])
    named = {path: JAX_LEAF.format(key=re.sub(r"^\w+", "", path)) for path in paths}
    return tuple(path for path in paths if named[path] in message)


@dataclass(frozen=True)
class Contender:
    """A checker: its name, the package it needs, what asks it, and about which derivatives.

    What asks it is a function of a module, so that another process can run it. It returns an
    answer, or nothing if the checker agrees; checkers, and derivatives, raise what they like.
    """

    name: str
    package: str
    ask: Callable[[Question], Answer | None]
    kinds: Sequence[str]
    keeps: bool = False  #: whether it keeps what checks have in common, so that later ones differ
    largest: float = math.inf  #: parameters up to which it is timed

    def absent(self) -> str | None:
        """Why the checker cannot run here, or None."""
        return None if find_spec(self.package) else f"{self.package} is {HINT}"


OTHERS = (JACOBIAN, HESSIAN, PRODUCT, COMPLEX, RULE)

#: Ours, where gradients of losses are asked about.
OURS = "handgrad.check_gradient"

#: Parameters beyond which ten calls take minutes, if each evaluates the loss for all of them.
FEW = 5_000

CONTENDERS = (
    Contender(OURS, "handgrad", by_handgrad, [GRADIENT], keeps=True),
    Contender("jax.test_util.check_grads", "jax", by_test_util, [GRADIENT]),
    Contender("handgrad", "handgrad", by_handgrad, OTHERS),
    Contender("jax.test_util", "jax", by_test_util, OTHERS),
    Contender("handgrad.torch.check_function", "torch", by_handgrad, [OF_TORCH]),
    Contender("torch.autograd.gradcheck", "torch", gradcheck, [GRADIENT, OF_TORCH], largest=FEW),
    Contender("scipy.optimize.check_grad", "scipy", check_grad, [GRADIENT, *OTHERS], largest=FEW),
    Contender("numdifftools", "numdifftools", numdifftools, OTHERS),
    Contender("twice-the-reference", "torch", twice, [OF_TORCH]),
)


def of(questions: str) -> list[Contender]:
    """Return the checkers that can be asked such questions."""
    kinds = {DERIVATIVES: OTHERS, TORCH: [OF_TORCH]}.get(questions, [GRADIENT])
    return [contender for contender in CONTENDERS if not {*kinds}.isdisjoint(contender.kinds)]
