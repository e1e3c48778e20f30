"""Whether checks keep to their seconds, and reports to theirs: losses that take long, and models.

`python -m tests.handgrad.heavy` checks each heavy loss in a process of its own at ten seconds, and
`--reading` all models with their mistakes at the seconds of a check, for half an hour; each prints
what checks and reading took, and ends with 1 if one took longer than it may. Processor time is what
counts: other load takes none of it, and a ticking clock would not show the work between two looks.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import scipy.integrate
import scipy.optimize
from jax import lax

from handgrad import check_custom, check_gradient, check_hessian, check_hvp, check_jacobian
from handgrad.clock import SECONDS
from handgrad.report import FOR_READING
from models import checkers, held_out, zoo
from models.model import Model

RNG = np.random.default_rng(7)
VECTOR = RNG.standard_normal(3000)
SERIES, STEPS = RNG.standard_normal((23, 5)), 12
WEIGHTS = {k: RNG.standard_normal(s) / 2 for k, s in {"w": (5, 7), "u": (7, 7), "b": (7,)}.items()}
LARGE = {k: RNG.standard_normal(s) / 9 for k, s in {"a": (211, 97), "c": (97, 211)}.items()}


def recurrent(np_: Any, steps: int) -> Callable[..., Any]:
    """A loss of an unrolled recurrent network."""

    def loss(p: Any) -> Any:
        h = np_.zeros(7)
        for x in SERIES[:steps]:
            gate = 1 / (1 + np_.exp(-(x @ p["w"] - h @ p["u"])))
            h = gate * h + (1 - gate) * np_.tanh(x @ p["w"] + h @ p["u"] + p["b"])
        return (h * h).sum()

    return loss


def scanned(p: Any) -> Any:
    def step(h: Any, x: Any) -> Any:
        h = jnp.tanh(x @ p["w"] + h @ p["u"] + p["b"])
        return h, jnp.sum(h * h)

    return jnp.sum(lax.scan(step, jnp.zeros(7), jnp.tile(SERIES, (40, 1)))[1])


def layers(p: Any) -> Any:
    return jnp.sum(jnp.tanh(jnp.tanh(SERIES @ jnp.ones((5, 211)) @ p["a"]) @ p["c"]) ** 3)


def outside(x: Any) -> float:
    """A loss that can only be called."""
    return float(sum(float(v) ** 2 * float(w) for v, w in zip(x, np.roll(x, 1), strict=True)))


def of_outside(x: Any) -> Any:
    return 2 * x * np.roll(x, 1) + np.roll(x, -1) ** 2


def scaled(factor: float, found: Any) -> Any:
    """A derivative with a mistake, unless the factor is 1."""
    wrong = lambda leaf: factor * leaf + (factor - 1) * leaf**2  # noqa: E731
    return found if factor == 1 else jax.tree_util.tree_map(wrong, found)


#: What may be begun before the time is up and not be interrupted: a call of compiled code, a
#: compilation by XLA.
BEGUN = 1.0


def spent(work: Callable[[], Any]) -> tuple[float, Any]:
    """Run some work; return the processor's seconds that it took, and its result."""
    began = time.process_time()
    found = work()
    return time.process_time() - began, found


class Measured(NamedTuple):
    """What a check and reading its report took, of how many seconds."""

    read: float
    check: float
    report: Any
    seconds: float

    def late(self, begun: float = 0.0) -> bool:
        """Whether one of them took longer than it may, the check but for what was begun."""
        read = self.read > FOR_READING * self.seconds + BEGUN
        return read or self.check > 1.1 * self.seconds + begun

    def line(self, name: str) -> str:
        done = f"{self.report.verdict:12} {self.report.points}"
        return f"{name:40} {done} {self.check:5.1f} {self.read:5.1f}"


class Heavy(NamedTuple):
    """A function, its right derivative, which is called once before time is taken, and a point."""

    right: Callable[..., Any]
    function: Callable[..., Any]
    point: tuple[Any, ...]
    verb: Callable[..., Any] = check_gradient
    points: int = 8

    def measured(self, factor: float, seconds: float) -> Measured:
        """Check the derivative, with a mistake unless the factor is 1, and read the report."""

        def derivative(*args: Any) -> Any:
            return scaled(factor, self.right(*args))

        answer = (self.function,) if self.verb is check_custom else (derivative, self.function)
        options = {"seconds": seconds, "points": self.points}
        check, report = spent(lambda: self.verb(*answer, *self.point, **options))
        read, _ = spent(lambda: str(report))
        return Measured(read, check, report, seconds)

    def warm(self) -> None:
        """Call the derivative: what the caller compiles is not the check's."""
        of_vector = (self.point[0],) * (self.verb is check_hvp)
        with jax.enable_x64(True):
            self.right(*self.point, *of_vector)


def of_model(model: Model, slug: str) -> Heavy:
    """A gradient of a model at one point; with the slug "" the right one."""
    point = model.draw(np.random.default_rng(0))
    return Heavy(model.wrong(slug) if slug else model.gradient, model.loss, point, points=0)


def one_of_each() -> Iterator[tuple[str, str]]:
    """Yield names of models, and mistakes, so that each loss and each kind of mistake comes."""
    seen = set[Any]()
    for name, model in MODELS.items():
        for slug in model.mistakes:
            if not {model.loss, slug.partition("/")[0]} <= seen:
                seen |= {model.loss, slug.partition("/")[0]}
                yield name, slug


MODELS = {m.name: m for m in (*zoo.MODELS, *checkers.MODELS, *held_out.MODELS)}


def of_jax(function: Any, *point: Any, of: Any = jax.grad, verb: Any = check_gradient) -> Heavy:
    return Heavy(jax.jit(of(function)), function, point, verb)


def converging(a: Any) -> Any:
    """Square roots by Newton's steps, until all are near."""
    ended = lambda s: jnp.max(jnp.abs(s * s - a)) > 1e-12 * jnp.max(a)  # noqa: E731
    return jnp.sum(lax.while_loop(ended, lambda s: (s + a / s) / 2, jnp.ones_like(a)) ** 3)


def stepping(x: Any) -> Any:
    """A thousand steps of a wave."""
    return jnp.sum(lax.fori_loop(0, 1000, lambda _, u: u + 0.1 * jnp.sin(jnp.roll(u, 1)), x) ** 2)


def kernel(x: Any) -> Any:
    return jnp.exp(-((x[:, None] - x[None]) ** 2)) + jnp.eye(len(x))


def process(x: Any) -> Any:
    """The likelihood of a Gaussian process."""
    solved = jnp.linalg.solve(kernel(x), jnp.sin(x))
    return jnp.sin(x) @ solved + jnp.linalg.slogdet(kernel(x))[1]


def images(p: Any) -> Any:
    found = lax.conv(jnp.asarray(IMAGES), p["k"], (1, 1), "SAME")
    return jnp.sum(jnp.tanh(lax.conv(jax.nn.softplus(found), p["l"], (2, 2), "VALID")) ** 2)


def attention(p: Any) -> Any:
    q, k, v = (WORDS @ p[name] for name in "qkv")
    return jnp.sum(jnp.tanh(jax.nn.softmax(q @ k.T / 4) @ v) ** 3)


def repulsion(np_: Any) -> Any:
    """The energy of points in space that repel each other."""

    def energy(x: Any) -> Any:
        apart = x[:, None] - x[None]
        return (1 / np_.sqrt((apart**2).sum(-1) + 0.3)).sum()

    return energy


def warped(np_: Any) -> Any:
    """A soft distance of two series under warping of time, cell by cell."""

    def distance(x: Any) -> Any:
        row = [0.0] + [30.0] * len(SERIES)
        for value in x:
            new = [30.0]
            for j, other in enumerate(SERIES[:, 0]):
                least = -np_.log(np_.exp(-row[j]) + np_.exp(-row[j + 1]) + np_.exp(-new[j]))
                new.append((value - other) ** 2 + least)
            row = new
        return row[-1]

    return distance


def solve(slopes: Any, start: list[Any]) -> np.ndarray:
    return scipy.integrate.solve_ivp(slopes, (0, 10), start, rtol=1e-10, atol=1e-12).y[:, -1]


def orbit(p: Any) -> float:
    """Where a pendulum is after ten seconds, by SciPy's solver."""
    swing = lambda _, y: [y[1], -p[0] * np.sin(y[0]) - p[1] * y[1]]  # noqa: E731
    return float(solve(swing, [p[2], 0.0])[0])


def orbits(p: Any) -> Any:
    """Its gradient by the sensitivities."""

    def both(_: Any, y: Any) -> Any:
        s = y[2:].reshape(2, 3)
        slopes = -p[0] * np.cos(y[0]) * s[0] - p[1] * s[1] - [np.sin(y[0]), y[1], 0]
        return [y[1], -p[0] * np.sin(y[0]) - p[1] * y[1], *s[1], *slopes]

    start = [p[2], 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]
    return solve(both, start)[2:5]


def area(p: Any) -> float:
    """An integral of many peaks, by SciPy's quadrature."""
    return sum(scipy.integrate.quad(lambda t, c=c: np.exp(-((t - c) ** 2)), 0, 1)[0] for c in p)


def slowly(function: Any) -> Any:
    """A function that takes a tenth of a second of the processor's time more."""

    def slow(*args: Any) -> Any:
        until = time.process_time() + 0.1
        while time.process_time() < until:
            pass
        return function(*args)

    return slow


def curved(x: Any) -> Any:
    return jnp.sum(jnp.tanh(jnp.outer(x, x)) ** 2)


@jax.custom_vjp
def ruled(x: Any) -> Any:
    return jnp.sum(jnp.exp(jnp.sin(jnp.outer(x, x))), axis=1)


ruled.defvjp(
    lambda x: (ruled(x), x),
    lambda x, g: (
        (jnp.exp(jnp.sin(jnp.outer(x, x))) * jnp.cos(jnp.outer(x, x)) * (g[:, None] + g[None])) @ x,
    ),
)

IMAGES = RNG.standard_normal((3, 2, 23, 19))
FILTERS = {"k": RNG.standard_normal((5, 2, 3, 3)), "l": RNG.standard_normal((3, 5, 5, 5))}
WORDS = RNG.standard_normal((37, 16))
HEADS = {name: RNG.standard_normal((16, 13)) / 4 for name in "qkv"}
SPACE = RNG.standard_normal((61, 3))

HEAVY: dict[str, Heavy] = {
    "many parameters": Heavy(scipy.optimize.rosen_der, scipy.optimize.rosen, (np.tile(VECTOR, 3),)),
    "many kinds of operations": of_jax(lambda x: jnp.sum(lax.cumlogsumexp(x)), VECTOR),
    "a million parameters": of_jax(lambda x: jnp.sum(jnp.sin(x) * x), np.tile(VECTOR, 333)),
    "an unrolled loop": of_jax(recurrent(jnp, STEPS), WEIGHTS),
    "a long scan": of_jax(scanned, WEIGHTS),
    "a while_loop": of_jax(converging, VECTOR[:50] ** 2, of=lambda _: lambda a: 1.5 * jnp.sqrt(a)),
    "a fori_loop": of_jax(stepping, VECTOR[:29]),
    "a large model": of_jax(layers, LARGE),
    "a Gaussian process": of_jax(process, VECTOR[:41]),
    "eigenvalues": of_jax(lambda x: jnp.sum(jnp.linalg.eigvalsh(kernel(x)) ** 1.5), VECTOR[:23]),
    "convolutions": of_jax(images, FILTERS),
    "attention": of_jax(attention, HEADS),
    "a NumPy loop": Heavy(
        jax.jit(jax.grad(recurrent(jnp, STEPS))), recurrent(np, STEPS), (WEIGHTS,)
    ),
    "NumPy's arrays": Heavy(jax.jit(jax.grad(repulsion(jnp))), repulsion(np), (SPACE,)),
    "cells of a table": Heavy(jax.jit(jax.grad(warped(jnp))), warped(np), (VECTOR[:19],)),
    "a black box": Heavy(of_outside, outside, (VECTOR[:500],)),
    "an ODE by SciPy": Heavy(orbits, orbit, (np.array([1.3, 0.1, 0.7]),)),
    "integrals by SciPy": Heavy(
        lambda p: np.exp(-(p**2)) - np.exp(-((1 - p) ** 2)), area, (VECTOR[:31],)
    ),
    "a caller's slow code": Heavy(
        slowly(scipy.optimize.rosen_der), slowly(scipy.optimize.rosen), (VECTOR[:20],)
    ),
    "a Hessian": of_jax(curved, VECTOR[:90], of=jax.hessian, verb=check_hessian),
    "a Hessian's product": Heavy(
        jax.jit(lambda x, v: jax.jvp(jax.grad(curved), (x,), (v,))[1]),
        curved,
        (VECTOR[:90],),
        check_hvp,
    ),
    "a Jacobian": of_jax(
        lambda x: jnp.cumsum(jnp.exp(jnp.sin(x))) * jnp.flip(x),
        VECTOR[:90],
        of=jax.jacrev,
        verb=check_jacobian,
    ),
    "a rule": Heavy(ruled, ruled, (VECTOR[:90],), check_custom),
}


def reading() -> Iterator[tuple[str, Measured]]:
    """Measure all gradients of all models."""
    for model in MODELS.values():
        for slug in ("", *model.mistakes):
            yield f"{model.name} {slug}", of_model(model, slug).measured(1.0, SECONDS)


def heavy(name: str, seconds: float = 10.0) -> Iterator[tuple[str, Measured]]:
    """Measure the right derivative of a heavy loss, and one with a mistake."""
    HEAVY[name].warm()
    for factor in (1.0, 1.5):
        yield f"{name} {factor}", HEAVY[name].measured(factor, seconds)


def main(*chosen: str) -> int:
    """Print a line for each, of models the ten slowest; return 1 if one took too long."""
    if not chosen:
        runs = [subprocess.run([sys.executable, "-m", __spec__.name, name]) for name in HEAVY]
        return max(run.returncode for run in runs)
    if chosen == ("--reading",):
        found = sorted(reading(), key=lambda each: each[1].read, reverse=True)
        print(f"{len(found)} reports, seconds={SECONDS:g}")
    else:
        found = list(heavy(chosen[0]))
    print(*(measured.line(name) for name, measured in found[:10]), sep="\n", flush=True)
    return int(any(measured.late() for _, measured in found))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
