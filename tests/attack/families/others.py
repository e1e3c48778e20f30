"""Functions that read one triangle, patch NaN, stop gradients, solve and iterate.

Each family is tables of text and a function that draws from them.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.experimental.ode import odeint
from mpmath import mp
from scipy.integrate import solve_ivp

from tests.attack.families.attempt import Attempt
from tests.attack.families.made import NAMES, PLAIN, Drawn, Made, point, written

Rng = np.random.Generator

#: What reads one triangle of h: the function, which one, and the function of a symmetric matrix.
TRIANGLES = """np.log(np.diag(np.linalg.cholesky(h))) | lower
np.log(np.diag(np.linalg.cholesky(h, upper=True))) | upper
np.linalg.cholesky(h) * c | lower
np.linalg.solve(np.linalg.cholesky(h), c) ** 2 | lower
np.linalg.eigvalsh(h) * c[0] | lower
np.linalg.eigvalsh(h, UPLO="U") ** 2 | upper
np.linalg.eigh(h)[0] * c[0] | lower
np.linalg.eigh(h, UPLO="U")[0] ** 3 | upper
np.linalg.eigh(h)[1] ** 2 * c | lower
np.linalg.svd(h, compute_uv=False, hermitian=True) * c[0] | lower
np.linalg.svd(h, hermitian=True)[1] ** 2 | lower
np.linalg.pinv(h, hermitian=True) * c | lower
scipy.linalg.cholesky(h, lower=True) * c | lower
scipy.linalg.cholesky(h) * c | upper
scipy.linalg.eigh(h, eigvals_only=True) * c[0] | lower""".splitlines()

#: A matrix whose triangle is read.
MATRICES = ["x", "x + np.eye(3)", "2.0 * x", "x * x", "x @ x"]


def triangle(rng: Rng) -> Drawn:
    """Draw a function of one triangle, at a matrix that is symmetric or not."""
    text, _, which = rng.choice(TRIANGLES).partition(" | ")
    start, points = rng.choice(MATRICES), int(rng.choice([0, 2]))

    def of(x: Any, c: Any, lower: float) -> Any:
        h = written(start, x=x)
        diagonal = jnp.diag(jnp.diag(h))
        low, high = jnp.tril(h, -1), jnp.triu(h, 1)
        below = lower * low + (1 - lower) * high.T
        return written(text.replace(", hermitian=True", ""), h=below + below.T + diagonal, c=c)

    plain = partial(of, lower=float(which == "lower"))
    made = Made(f"h = {start}", text, plain, partial(of, lower=0.5))
    a, c = rng.uniform(0.1, 0.6, (3, 3)), rng.uniform(0.5, 1.5, (3, 3))
    x = (a + a.T) / 2 + np.diag([2.0, 3.0, 4.5])
    return made, x + rng.choice([0.0, 0.1]) * np.triu(a), c, points


#: Quotients that are 0/0 at 0: entire functions, and the power of x that they are divided by.
QUOTIENTS = """expm1(x) | 1
sin(x) | 1
sinh(x) | 1
2 * sin(x / 2) ** 2 | 2
expm1(x) ** 2 | 2
x ** 2 | 1
sin(x) ** 2 | 1""".splitlines()

#: How NaN, or the division, is kept away.
GUARDS = """h = np.where(np.isnan(r), L, r)
h = np.where(np.isfinite(r), r, L)
h = np.where(r == r, r, L)
h = np.nan_to_num(r, nan=L)
h = np.where(x == 0, L, r)
h = np.where(np.isnan(r) | np.isinf(r), L, r)
h = r if not np.isnan(r).any() else np.where(np.isnan(r), L, r)
h = r.copy(); h[np.isnan(h)] = L
h = r.copy(); np.copyto(h, L, where=np.isnan(h))
h = r.copy(); np.putmask(h, np.isnan(h), L)
h = np.array([L if v != v else v for v in r])""".splitlines()

#: How many of them JAX can run; and what becomes of it.
IN_JAX, END = 6, "c * h + h ** 2"


def guard(rng: Rng) -> Drawn:
    """Draw a quotient with its limit at 0, at a point that has zeros."""
    numerator, _, power = rng.choice(QUOTIENTS).partition(" | ")
    in_jax = bool(rng.integers(2))
    patch = rng.choice(GUARDS[:IN_JAX] if in_jax else GUARDS)
    with mp.workdps(60):
        entire = eval(f"lambda x: {numerator}", vars(mp) | {"expm1": mp.expm1, "sin": mp.sin})
        series = [float(a) for a in mp.taylor(entire, 0, 60)][int(power) :]
    limit = round(series[0], 12)

    def of(x: Any, c: Any, taken: bool) -> Any:
        h = jnp.polyval(jnp.array(series[::-1]), x)
        return written(END, h=jnp.where(x == 0, limit, h) if taken else h, c=c)

    run = numerator.replace("sin", "np.sin").replace("expm1", "np.expm1")
    body = f"r = ({run}) / x ** {power}; {patch.replace('L', str(limit))}"
    body, end = (text.replace("np.", "jnp.") if in_jax else text for text in (body, END))
    plain, taken = (partial(of, taken=taken) for taken in (False, True))
    x, c = rng.uniform(0.2, 1.5, 4) * [0, 1, 0, -1], rng.uniform(0.5, 1.5, 4)
    return Made(body, end, plain, taken), x, c, int(rng.choice([0, 2]))


def _callback(x: Any) -> Any:
    with jax.enable_x64(True):
        return jax.pure_callback(np.sin, jax.ShapeDtypeStruct(x.shape, np.float64), x)


NAMES |= {"cb": _callback, "stop": lax.stop_gradient}
PLAIN |= {"cb": jnp.sin}

#: A callback beside gradients that are stopped.
STOPPED = """cb(x) + stop(x) * x
cb(x) * stop(x)
cb(x) * stop(x.sum()) + x ** 2
cb(stop(x)) + c * x ** 2
cb(x) + stop(jnp.tanh(x)) * x ** 2
cb(x) + (x + stop(jnp.round(x) - x)) * c
cb(x) + (x - stop(x.mean())) ** 2
cb(x) / stop(jnp.sqrt(jnp.sum(x ** 2)))
cb(x * c) + jnp.exp(x - stop(x.max()))""".splitlines()


def stopped(rng: Rng) -> Drawn:
    """Draw a function that calls NumPy, and stops a gradient."""
    text = rng.choice(STOPPED)

    def of(x: Any, c: Any, **names: Any) -> Any:
        return written(text, x=x, c=c, **names)

    taken = partial(of, stop=lambda value: value)
    return Made("", text, of, taken, stops=True), *point(rng, (5,)), int(rng.choice([0, 2]))


#: At the largest the derivatives of a solver's own arithmetic are a thousandth of the largest off;
#: at 1e-3 they are up to a fifth, and it is another function.
TOLERANCES = (1e-5, 1e-6, 1e-9, 1e-12)

#: Right sides of ẏ, and the solution at t from y = c.
SYSTEMS = """-x * y | c * np.exp(-x * t)
x * y * (1 - y) | 1 / (1 + (1 / c - 1) * np.exp(-x * t))
x * np.cos(t) * y | c * np.exp(x * np.sin(t))
x - y | x + (c - x) * np.exp(-t)""".splitlines()


def _by_scipy(rhs: Any, c: Any, tolerance: float, method: str) -> Any:
    return solve_ivp(rhs, (0, 1), c, method=method, rtol=tolerance, atol=tolerance).y[:, -1]


def _by_jax(rhs: Any, c: Any, tolerance: float, method: str) -> Any:  # noqa: ARG001
    times = jnp.array([0.0, 1.0])
    return odeint(lambda y, t: rhs(t, y), c, times, rtol=tolerance, atol=tolerance)[-1]


NAMES |= {"by_scipy": _by_scipy, "by_jax": _by_jax}


def solver(rng: Rng) -> Drawn:
    """Draw a differential equation that is solved to a tolerance."""
    rhs, _, solution = rng.choice(SYSTEMS).partition(" | ")
    tolerance, by = rng.choice(TOLERANCES), rng.choice(["by_scipy", "by_jax"])
    method = rng.choice(["RK45", "DOP853", "LSODA"])
    if by == "by_jax":
        rhs = rhs.replace("np.", "jnp.")

    def of(x: Any, c: Any, t: float) -> Any:
        return written(solution, x=x, c=c, t=t) ** 2

    text = f"{by}(lambda t, y: {rhs}, c, {tolerance}, '{method}') ** 2"
    made = Made("", text, partial(of, t=1.0), partial(of, t=0.95), off=300 * tolerance)
    return made, *point(rng, (3,)), int(rng.choice([0, 2]))


#: Iterations: where they begin, and the next value.
ITERATIONS = """1 + 0 * x | (s + x / s) / 2
0 * x | 0.5 * np.tanh(s) + x
0 * x | np.cos(x * s / 3)
1 * x | s - (s ** 3 + s - x) / (3 * s ** 2 + 1)
0 * x | (c - 0.2 * s[::-1]) / (1 + x)
0 * x | s - 0.4 * (s - x + 0.5 * np.sin(s))
1 + 0 * x | (c * s + x) / np.sqrt(((c * s + x) ** 2).sum())""".splitlines()

#: How they end.
LOOPS = """s, n = {start}, {first}; while np.abs(n - s).max() > {tol}:;  s = n;  n = {step}
s, n = {start}, {first}; while not np.allclose(n, s, rtol=0, atol={tol}):;  s, n = n, {next}
s = {start}; for _ in range(1000):;  n = {step};  if np.abs(n - s).sum() <= {tol}: break;  s = n
s = {start}; while True:;  n = {step};  if np.linalg.norm(n - s) < {tol}: break;  s = n
s = {start}; gap = 1.0; while gap > {tol}:;  n = {step};  gap = float(np.abs(n - s).max());  s = n
""".strip().splitlines()


def iteration(rng: Rng) -> Drawn:
    """Draw an iteration in Python that stops at a tolerance; its truth takes 200 steps."""
    start, _, step = rng.choice(ITERATIONS).partition(" | ")
    tolerance = rng.choice(TOLERANCES)
    texts = {"start": start, "step": step, "tol": tolerance}
    texts |= {"first": re.sub(r"\bs\b", f"({start})", step), "next": re.sub(r"\bs\b", "n", step)}

    def of(x: Any, c: Any, taken: bool) -> Any:
        def on(_: Any, s: Any) -> Any:
            return written(step, s=s, x=x, c=c)

        s = lax.fori_loop(0, 200, on, written(start, x=x))
        return on(0, lax.stop_gradient(s) if taken else s) ** 2

    body = rng.choice(LOOPS).format(**texts)
    end = "n ** 2"
    if rng.integers(4) == 0:
        body, end = body.replace("np.", "jnp."), "jnp.asarray(n) ** 2"
    plain, taken = (partial(of, taken=taken) for taken in (False, True))
    x, c = point(rng, (4,))
    # Moved points may be negative, where what seeks a root never ends.
    points = 0 if "x / s" in step else int(rng.choice([0, 2]))
    return Made(body, end, plain, taken, off=100 * tolerance), x, c, points


#: Functions of each element, with their first and second derivatives.
STEPS = """np.tanh(x) * c | (1 - np.tanh(x) ** 2) * c | -2 * np.tanh(x) * (1 - np.tanh(x) ** 2) * c
x ** 3 * c | 3 * x ** 2 * c | 6 * x * c
np.exp(-x) * c | -np.exp(-x) * c | np.exp(-x) * c
np.sin(x) + c | np.cos(x) | -np.sin(x)""".splitlines()

#: What a pass does with its cotangent, or its tangent: rightly so, and not, at a size T.
LINEAR = ["d", "1.0 * d", "np.nan_to_num(d)", "np.where(x > 0, d, d)"]
NOT_LINEAR = [
    ("np.clip(d, -T, T)", (1, 5, 100, 1e4)),
    ("d / np.maximum(1, np.sqrt(np.sum(d * d)) / T)", (1, 5, 100, 1e4)),
    ("T * np.tanh(d / T)", (1, 100, 1e4)),
    ("np.where(np.abs(d) < T, 0, d)", (1e-3, 1e-6, 1e-9)),
    ("np.sign(d) * np.maximum(np.abs(d) - T, 0)", (1e-6, 1e-9)),
]


def linear_pass(seed: int, number: int) -> Attempt:
    """Draw a backward pass, a rule or a product with a Hessian, and what it does beside it."""
    import handgrad

    rng = np.random.default_rng([seed, number])
    x, c = point(rng, (5,))
    verb, points = rng.choice(["vjp", "jvp", "backward", "steps", "hvp"]), int(rng.choice([0, 2]))
    value, *slopes = rng.choice(STEPS).split(" | ")
    first = bool(rng.integers(2))

    def passed(text: str, xp: Any) -> Callable[[Any, Any], Any]:
        def of(d: Any, x: Any) -> Any:
            slope = eval(slopes[verb == "hvp"], {"np": xp, "x": x, "c": c})
            before, after = (d, slope) if first else (d * slope, 1.0)
            return eval(text, {"np": xp, "d": before, "x": x}) * after

        return of

    def f(xp: Any, x: Any) -> Any:
        return eval(value, {"np": xp, "x": x, "c": c})

    def check(text: str) -> Any:
        by_numpy, by_jax = passed(text, np), passed(text, jnp)
        if verb == "backward":
            return handgrad.check_backward(lambda x: (f(np, x), x), by_numpy, x, points=points)
        if verb == "steps":
            steps = [("step", lambda x: (f(np, x), x), by_numpy)]
            return handgrad.check_steps(steps, x, points=points).steps[0].report
        if verb == "hvp":
            return handgrad.check_hvp(
                lambda x, v: by_numpy(v, x), lambda x: f(np, x).sum(), x, points=points
            )
        custom: Any = (jax.custom_vjp if verb == "vjp" else jax.custom_jvp)(partial(f, jnp))
        if verb == "vjp":
            custom.defvjp(lambda x: (f(jnp, x), x), lambda x, d: (by_jax(d, x),))
        else:
            custom.defjvp(lambda p, t: (f(jnp, p[0]), by_jax(t[0], p[0])))
        return handgrad.check_custom(custom, x, points=points)

    answers = {f"right, {(text := rng.choice(LINEAR))}": partial(check, text)}
    for at in rng.permutation(len(NOT_LINEAR))[:3]:
        text, sizes = NOT_LINEAR[at]
        size = rng.choice(sizes)
        answers[f"{text}, T = {size:g}"] = partial(check, text.replace("T", f"{size:g}"))
    name = f"{seed}-{number}, {verb}, {points} points"
    source = f"{value}; {slopes[verb == 'hvp']}; {'before' if first else 'after'} the product"
    return Attempt("what is not linear", name, source, answers)


DRAWN: dict[str, Callable[[Rng], Drawn]] = {
    "one triangle": triangle,
    "NaN patched": guard,
    "a callback beside stopped gradients": stopped,
    "a solver's tolerance": solver,
    "a loop that stops at a tolerance": iteration,
}
