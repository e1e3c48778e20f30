"""Functions of (x, c) as text, beside the same functions without the trick, in `jax.numpy`.

The text is what the judge gets, and NumPy runs. The truth is JAX's derivative of the other one, to
which the judge and the tracing of the text contribute nothing; it is held to the text's own values,
and to differences of them.
"""

import linecache
import math
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg

from tests.attack.families.attempt import Attempt, differ

#: What a text may use; without the trick it is JAX that computes.
NAMES: dict[str, Any] = {"np": np, "jnp": jnp, "scipy": scipy, "math": math}
NAMES |= {"SimpleNamespace": SimpleNamespace}
PLAIN: dict[str, Any] = {"np": jnp, "scipy": jax.scipy}

#: The verbs that judge them, and how often each is drawn.
VERBS = {"gradient": 8, "scipy": 2, "exact": 2, "jacobian": 2, "hessian": 2, "hvp": 2} | {
    "backward": 1,
    "steps": 1,
}


class Made(NamedTuple):
    """A function of (x, c), an array, or of its elements' sum: as text, and without the trick."""

    body: str
    end: str
    plain: Callable[[Any, Any], Any]
    #: What it may be taken for.
    taken: Callable[[Any, Any], Any]
    #: How far it may be from `plain` by its own doing; its differences are then not looked at.
    off: float = 0.0
    #: Whether differences see what it may be taken for: it stops gradients.
    stops: bool = False

    def source(self, scalar: bool) -> str:
        """Return the text of the function, or of the sum of its elements."""
        body = self.body.split("; ") if self.body else []
        lines = [*body, f"return {f'({self.end}).sum()' if scalar else self.end}"]
        return "def f(x, c):\n" + "".join(f"    {line}\n" for line in lines)

    def run(self, scalar: bool = False) -> Any:
        """Run the text, whose lines tracebacks and the judge can read."""
        source, file = self.source(scalar), f"<made {len(linecache.cache)}>"
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        names = dict(NAMES)
        exec(compile(source, file, "exec"), names)
        return names["f"]

    def held(self, x: np.ndarray, c: np.ndarray) -> None:
        """Hold the truth to the text as it runs: its values, and its slope by differences."""
        f, plain = self.run(), in_doubles(self.plain, c)
        v, step = np.random.default_rng(5).uniform(-1, 1, x.shape), 1e-6
        points = [x + sign * step * v for sign in (0, 1, -1)]
        with np.errstate(all="ignore"), jax.enable_x64(True):
            here, up, down = (np.asarray(f(at.copy(), c.copy())) for at in points)
        pairs = [(here, plain(x)), (up, plain(points[1]))]
        if not self.off:
            seen = self.taken if self.stops else self.plain
            slope = in_doubles(lambda x, c: jax.jvp(lambda x: seen(x, c), (x,), (v,))[1], c)(x)
            pairs.append(((up - down) / (2 * step), slope))
        for (found, truth), off in zip(pairs, (1e-12, 1e-12, 1e-5), strict=False):
            gap = np.max(np.abs(found - truth)) / max(1, np.max(np.abs(truth)))
            assert gap <= max(off, self.off), (gap, self.source(False))


def written(text: str, **values: Any) -> Any:
    """Evaluate an expression, the functions of NumPy and SciPy by JAX."""
    return eval(text, NAMES | PLAIN | values)


def in_doubles(function: Callable[..., Any], *given: Any) -> Callable[..., np.ndarray]:
    """Compile a function; it returns arrays of NumPy."""
    compiled = jax.jit(function)

    def call(*args: Any) -> np.ndarray:
        with jax.enable_x64(True):
            return np.array(compiled(*args, *given))

    return call


def derivative(verb: str, f: Callable[..., Any], c: Any) -> Callable[..., np.ndarray]:
    """Return the derivative of x → f(x, c) that a verb judges, or of the sum of its elements."""

    def total(x: Any, c: Any) -> Any:
        return f(x, c).sum()

    grad = jax.grad(total)
    of = {
        "jacobian": jax.jacobian(f),
        "hessian": jax.hessian(total),
        "hvp": lambda x, v, c: jax.jvp(lambda x: grad(x, c), (x,), (v,))[1],
        "backward": lambda d, x, c: jax.vjp(lambda x: f(x, c), x)[1](d)[0],
    }
    return in_doubles(of.get("backward" if verb == "steps" else verb, grad), c)


class Exact(NamedTuple):
    """What `exact_gradient` says, as a verdict on an answer."""

    verdict: str
    headline: str
    certified: bool = True


def exact(df: Any, loss: Any, x: Any) -> Exact:
    """Hold `exact_gradient` to an answer, to a millionth of the largest element."""
    from handgrad import exact_gradient
    from handgrad.data.advised import UntraceableError

    try:
        found = exact_gradient(loss, x.copy())
    except (ArithmeticError, NotImplementedError, UntraceableError) as error:
        return Exact("undecidable", str(error), False)
    gap = np.max(np.abs(np.vectorize(float)(found) - df(x)))
    verdict = "agree" if gap <= 1e-6 * np.max(np.abs(df(x))) else "disagree"
    return Exact(verdict, f"{gap} off", found.flat[0].certified)


def check(verb: str, made: Made, df: Any, x: Any, c: Any, points: int) -> Any:
    """Put a derivative before the judge."""
    import handgrad

    loss, f = made.run(scalar=True), made.run()

    def forward(x: Any) -> Any:
        return f(x, c.copy()), x

    def of_arguments(*args: Any) -> Any:
        return df(*args[:-1])

    if verb == "exact":
        return exact(df, lambda x: loss(x, c.copy()), x)
    if verb == "scipy":
        return handgrad.check_scipy(loss, x, jac=of_arguments, args=(c,), points=points)["jac"]
    if verb == "backward":
        return handgrad.check_backward(forward, df, x, points=points)
    if verb == "steps":
        return handgrad.check_steps([("step", forward, df)], x, points=points).steps[0].report
    judge = getattr(handgrad, f"check_{verb}")
    return judge(of_arguments, f if verb == "jacobian" else loss, x, c, points=points)


def _sign(array: np.ndarray) -> np.ndarray:
    array.flat[-1] *= -1
    return array


#: Mistakes of a right derivative.
SPOILT = {"a hundredth more": lambda a: 1.01 * a, "the last sign": _sign}


def attempt(
    family: str, name: str, verb: str, made: Made, x: np.ndarray, c: np.ndarray, points: int
) -> Attempt | None:
    """Return a function with its answers; None if there is no finite one, or no wrong one."""
    made.held(x, c)
    right = derivative(verb, made.plain, c)
    drawn = np.random.default_rng(3).uniform(0.5, 1.5, x.shape)
    d = in_doubles(made.plain, c)(x) + 2
    at = {"hvp": (x, drawn), "backward": (d, x), "steps": (d, x)}.get(verb, (x,))
    answers = {"right": right, "what it may be taken for": derivative(verb, made.taken, c)}
    for said, spoil in SPOILT.items():
        answers[said] = lambda *args, spoil=spoil: spoil(right(*args))
    expected = right(*at)
    kept = {
        said: partial(check, verb, made, df, x, c, points)
        for said, df in answers.items()
        if said == "right" or (np.isfinite(df(*at)).all() and differ(df(*at), expected))
    }
    # The exact gradient of what is computed to a tolerance is another one, rightly.
    if not np.isfinite(expected).all() or len(kept) == 1 or (verb == "exact" and made.off):
        return None
    if verb == "exact":
        kept = {"right": kept["right"]}
    return Attempt(family, f"{name}, {verb}, {points} points", made.source(True), kept)


#: A function, where it is judged, and at how many points besides.
Drawn = tuple[Made, np.ndarray, np.ndarray, int]


def drawn(
    family: str, draw: Callable[[np.random.Generator], Drawn | None], seed: int, number: int
) -> Attempt:
    """Draw a function, its verb and its point; what does not fit together is drawn anew."""
    rng = np.random.default_rng([seed, number])
    weights = np.array([*VERBS.values()])
    while True:
        verb = str(rng.choice([*VERBS], p=weights / weights.sum()))
        with np.errstate(all="ignore"):
            found = draw(rng)
        if found is None or (verb == "scipy" and found[1].ndim > 1):
            continue
        if made := attempt(family, f"{seed}-{number}", verb, *found):
            return made


def point(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Draw a point whose numbers are positive, so that few sums are near zero."""
    return rng.uniform(0.3, 2.0, shape), rng.uniform(0.5, 1.5, shape)
