"""Right gradients of another loss: another number in it, something left out, updated too early."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from handgrad import check_backward, check_custom
from tests.corpus.case import Row, cases
from tests.corpus.rows.wrong_links import NETWORK, X, Y, drawn, loss, right, wrong

Gradient = Callable[..., Any]

# A guard that the loss lacks; ε inside and outside the root; n - 1 for n.

P = np.abs(drawn(5)) + 0.2


def entropy(p: Any, y: Any) -> Any:
    return -jnp.sum(y * jnp.log(p))


def normalised(inside: float, outside: float) -> Any:
    def loss(w: Any, x: Any, t: Any) -> Any:
        z = x @ w
        centred = z - z.mean(axis=0)[None, :]
        root = jnp.sqrt(jnp.mean(centred**2, axis=0) + inside)
        return jnp.sum(t * centred / (root + outside)[None, :])

    return loss


def by_a_factor(w: Any, x: Any, t: Any) -> Any:
    z = x @ w
    centred = z - z.mean(axis=0)[None, :]
    return jnp.sum(t * centred / jnp.sqrt(jnp.sum(centred**2, axis=0) * (1 / 7))[None, :])


def by_rsqrt(w: Any, x: Any, t: Any) -> Any:
    z = x @ w
    centred = z - z.mean(axis=0)[None, :]
    return jnp.sum(t * centred * jax.lax.rsqrt(jnp.mean(centred**2, axis=0))[None, :])


def of_normalised(deviation: Callable[[Any], Any]) -> Gradient:
    """As it is always written, with the standard deviation for its own root."""

    def gradient(w: Any, x: Any, t: Any) -> Any:
        z = x @ w
        centred = z - z.mean(axis=0)
        s = deviation(centred)
        n = centred / s
        return x.T @ ((t - t.mean(axis=0) - n * (t * n).mean(axis=0)) / s)

    return gradient


def inside(epsilon: float, less: int = 0) -> Gradient:
    return of_normalised(lambda c: np.sqrt((c * c).sum(axis=0) / (len(c) - less) + epsilon))


def outside(epsilon: float) -> Gradient:
    return of_normalised(lambda c: np.sqrt((c * c).mean(axis=0)) + epsilon)


LAYER = drawn(3, 4), X, drawn(7, 4)
GIVEN = {"p": np.array([0.2, 0.7]), "q": np.array([0.3, 0.5])}


def of_numbers(p: Any, y: Any) -> Any:
    entropy = -jnp.sum(y * jnp.log(p["p"]) + (1 - y) * jnp.log(1 - p["p"]))
    bounded = jnp.sum(jnp.log(jnp.maximum(p["q"], 1e-3) + 1e-4) ** 2)
    return entropy + bounded


def gradient_with(guard: float = 0, inside: float = 1e-4, alone: float = 0) -> Any:
    def gradient(p: Any, y: Any) -> Any:
        q = p["q"] + inside
        return {
            "p": -y / (p["p"] + guard) + (1 - y) / (1 - p["p"] + guard),
            "q": 2 * np.log(q) / (q + alone),
        }

    return gradient


# A recurrence, as a scan and unrolled: the value of another round, and = for +=.

STATE = ({"u": 0.6 * drawn(3, 3), "v": drawn(2, 3), "b": drawn(3)}, drawn(3, 2))


def scanned(p: Any, x: Any) -> Any:
    def step(h: Any, row: Any) -> Any:
        h = jnp.tanh(h @ p["u"] + row @ p["v"] + p["b"])
        return h, jnp.sum(h**2)

    return jnp.sum(jax.lax.scan(step, jnp.zeros(3), x)[1])


def backwards(p: Any, x: Any) -> Any:
    """The same by a loop that begins at the last row."""

    def step(h: Any, row: Any) -> Any:
        h = jnp.tanh(h @ p["u"] + row @ p["v"] + p["b"])
        return h, jnp.sum(h**2)

    return jnp.sum(jax.lax.scan(step, jnp.zeros(3), x[::-1], reverse=True)[1])


def unrolled(p: Any, x: Any) -> Any:
    h, total = jnp.zeros(3), 0.0
    for row in x:
        h = jnp.tanh(h @ p["u"] + row @ p["v"] + p["b"])
        total += jnp.sum(h**2)
    return total


def through_time(
    state: int = 0,
    at: int = 1,
    shift: int = 0,
    assigned: str = "",
    carried: float = 1.0,
    **slope: Any,
) -> Gradient:
    """Back through time, with another state or row, or = for += in the leaves `assigned`."""
    of_tanh = slope.get("slope", lambda h: 1 - h * h)

    def gradient(p: Any, x: Any) -> Any:
        h = [np.zeros(3)]
        for row in x:
            h.append(np.tanh(h[-1] @ p["u"] + row @ p["v"] + p["b"]))
        grads, dh = {name: 0 * leaf for name, leaf in p.items()}, 0 * h[0]
        for t in reversed(range(len(x))):
            dz = (dh + 2 * h[t + 1]) * of_tanh(h[t + at])
            own = {"u": np.outer(h[t + state], dz), "v": np.outer(x[t + shift], dz), "b": dz}
            for name, part in own.items():
                grads[name] = part if name in assigned else grads[name] + part
            dh = carried * (p["u"] @ dz)
        return grads

    return gradient


# Parameters that are updated before they are used, where the loss has a penalty.

SIZES = {"v": (3, 5), "m": (5, 2), "s": (5, 4), "r": (5, 6)}
HEADS = {name: drawn(*size) for name, size in SIZES.items()}, X, Y, drawn(7, 4)
DECAY, RATE = 0.05, 0.3


def transposed(p: Any, x: Any, y: Any) -> Any:
    return jnp.mean((jnp.tanh(x @ p["v"].T) @ p["w"].T - y) ** 2)


def of_transposed_early(p: Any, x: Any, y: Any) -> Any:
    h = np.tanh(x @ p["v"].T)
    dout = 2 * (h @ p["w"].T - y) / y.size
    dw = dout.T @ h
    return {"v": (dout @ (p["w"] - 0.1 * dw) * (1 - h * h)).T @ x, "w": dw}


def updated_early(p: Any, x: Any, y: Any) -> Any:
    h = np.tanh(x @ p["v"] + p["b"])
    dout = 2 * (h @ p["w"] - y) / y.size
    dw = h.T @ dout
    dz = dout @ (p["w"] - 0.1 * dw).T * (1 - h * h)
    return {"v": x.T @ dz, "b": dz.sum(axis=0), "w": dw}


def heads(p: Any, x: Any, y: Any, t: Any) -> Any:
    """Three heads on one hidden layer; the penalties as v² and as m·m."""
    h = jnp.tanh(x @ p["v"])
    errors = jnp.sum((h @ p["m"] - y) ** 2) + jnp.sum((h @ p["s"] - t) ** 2)
    errors += jnp.sum((h @ p["r"]) ** 2)
    m = p["m"].reshape(-1)
    return errors + DECAY * (jnp.sum(p["v"] ** 2) + m @ m)


def of_heads(decay: float, also: bool = False) -> Any:
    """Its gradient, m updated with so much of its penalty before it passes on what comes back.

    Args:
        decay: of m, in the update.
        also: whether s is updated as well.
    """

    def gradient(p: Any, x: Any, y: Any, t: Any) -> Any:
        h = np.tanh(x @ p["v"])
        dy, dt, dr = 2 * (h @ p["m"] - y), 2 * (h @ p["s"] - t), 2 * (h @ p["r"])
        dm, ds = h.T @ dy, h.T @ dt
        m = p["m"] - RATE * (dm + 2 * decay * p["m"])
        s = p["s"] - RATE * ds if also else p["s"]
        dv = x.T @ ((dy @ m.T + dt @ s.T + dr @ p["r"].T) * (1 - h * h)) + 2 * DECAY * p["v"]
        return {"v": dv, "m": dm + 2 * DECAY * p["m"], "s": ds, "r": h.T @ dr}

    return gradient


def read_out(p: Any, x: Any, flag: Any) -> Any:
    """Matrices on one layer: as it is, turned, in a branch, in a loop over rows that it adds to."""
    h = jnp.tanh(x @ p["w"])
    branch = jax.lax.cond(flag > 0, lambda h, d: h @ d, lambda h, d: 2.0 * h @ d, h, p["d"])
    _, rows = jax.lax.scan(lambda s, at: (s, at[0] @ p["e"] + at[1]), 0.0, (h, p["f"]))
    return jnp.sum((h @ p["a"] + h @ p["b"].T + branch + rows) ** 2)


def read_out_early(p: Any, x: Any, _: Any) -> Any:
    h = np.tanh(x @ p["w"])
    dy = 2 * (h @ (p["a"] + p["b"].T + p["d"] + p["e"]) + p["f"])
    own = h.T @ dy
    grads = {"a": own, "b": own.T, "d": own, "e": own}
    a, b, d, e = (p[name] - 0.1 * grads[name] for name in grads)
    return grads | {"f": dy, "w": x.T @ (dy @ (a + b.T + d + e).T * (1 - h * h))}


MATRICES = {name: drawn(4, 2, seed=k) for k, name in enumerate("ade")}
MATRICES |= {"b": drawn(2, 4), "w": drawn(3, 4), "f": drawn(5, 2)}

EARLY = "p['m'] is updated too early, by 0.3 times yours"
BARE = " without the loss's weight decay"


# What the backward pass forgets, and cotangents that it takes for others.

MASK = np.tri(3, 5, 1, dtype=bool)
Z, C, GAINS = drawn(3, 5), drawn(5, 3).T, np.abs(drawn(3, 1)) + 0.5
SHIFT = np.where(MASK, 0.0, -4.0)


def shifted(z: Any, gains: Any, mask: Any, c: Any) -> Any:
    return (c * jax.nn.softmax(gains * z + mask)).sum()


def of_shifted(z: Any, gains: Any, mask: Any, c: Any) -> Any:
    p = np.asarray(jax.nn.softmax(gains * z + mask))
    return gains * p * (c - (c * p).sum(axis=-1, keepdims=True))


def curved(z: Any) -> Any:
    return jnp.tanh(z) ** 2 * jnp.exp(z), z


def with_another(change: Any) -> Gradient:
    def backward(d: Any, z: Any) -> Any:
        d, t = np.asarray(d), np.tanh(z)
        d = np.broadcast_to(change(d), d.shape)
        return d * np.exp(z) * (2 * t * (1 - t * t) + t * t)

    return backward


def softmax_of_masked(z: Any, mask: Any) -> Any:
    return jax.nn.softmax(jnp.where(mask, z, -jnp.inf)), z


def without_the_mask(d: Any, z: Any) -> Any:
    p = np.asarray(jax.nn.softmax(z))
    return p * (d - (d * p).sum(axis=-1, keepdims=True)), None


def product_rule(back: Any) -> Any:
    """The derivatives of a · b and a by hand."""
    f = jax.custom_vjp(lambda a, b: (a * b, a))
    f.defvjp(lambda a, b: ((a * b, a), (a, b)), lambda ab, d: back(*ab, *d))
    return f


def two_sided(h: Any, b: Any, x: Any, s: Any) -> Any:
    return x * s[None] + jax.nn.gelu(h + b[None], approximate=False), (h, b, x, s)


def with_two_mistakes(dy: Any, cache: Any) -> Any:
    h, b, x, _ = cache
    du = dy * jax.scipy.stats.norm.cdf(h + b[None])  # lacks u φ(u)
    return du, du.sum(axis=0), dy, (dy * x).sum(axis=0)  # dx lacks s


CASES = [
    *wrong("entropy", entropy, P, P[::-1].copy())(
        (lambda p, y: -y / (p + 1e-4), "constant: if 0.0001 were added to the argument of log"),
        (lambda p, y: -y / (p + 1e-4 * p**2), "unknown: Kind: unknown"),
    ),
    *wrong("standard deviation", normalised(0.0, 0.0), *LAYER)(
        inside(0.0),
        (inside(1e-3), "constant: if 0.001 were added to the argument of the root"),
        (outside(1e-3), "constant: if 0.001 were added to the root"),
    ),
    *wrong("standard deviation by rsqrt", by_rsqrt, *LAYER)(
        (jax.grad(normalised(0.0, 1e-3)), "constant: if 0.001 were added to the root"),
    ),
    *wrong("variance by a factor", by_a_factor, *LAYER)(
        (inside(0.0, less=1), "constant: if the 1/7 in the loss were 1/6", "): 1/(n - 1) for 1/n"),
    ),
    *wrong("standard deviation with ε inside", normalised(1e-3, 0.0), *LAYER)(
        inside(1e-3),
        (inside(0.1), "constant: if the 0.001 in the loss were 0.1"),
        (inside(0.0), "constant: if the 0.001 in the loss were 0 ("),
        (outside(1e-3), "constant: if the 0.001 were outside the root, not inside"),
        (inside(1e-3, less=1), "constant: if the 7 in the loss were 6", "): 1/(n - 1) for 1/n"),
        (inside(1e-3, less=-1), "constant: if the 7 in the loss were 8", "): 1/n for 1/(n - 1)"),
    ),
    *wrong("standard deviation with ε outside", normalised(0.0, 1e-3), *LAYER)(
        (inside(1e-3), "constant: if the 0.001 were inside the root, not outside"),
    ),
    *wrong("numbers in a loss", of_numbers, GIVEN, np.array([0.3, 0.8]))(
        gradient_with(),
        (gradient_with(1e-4, 2e-4), "constant: 0.0001 were added to the argument of log ("),
        (gradient_with(inside=1e-3), "constant: 0.0001 in the loss were 0.001 ("),
        (gradient_with(inside=0), "constant: the 0.0001 in the loss were 0 ("),
        (gradient_with(alone=1e-4), "constant: to the argument of log, in its derivative alone ("),
    ),
    *(
        case
        for loss in (scanned, backwards, unrolled)
        for case in wrong(f"recurrence, {loss.__name__}", loss, *STATE, seconds=60.0)(
            through_time(),
            (through_time(state=1), "index: the value of the next round, as t + 1"),
            (through_time(at=0), "index: the value of the round before, as t - 1"),
            (through_time(slope=lambda h: 1 - h), "slope: of tanh is 1 - h, not 1 - h²"),
            (through_time(carried=0.0), "unknown: a term is missing"),
            (through_time(assigned="b"), "overwritten: as with = for +="),
        )
    ),
    # Of the first round the one before is the last, as x[-1] is.
    *(
        case
        for loss in (scanned, backwards)
        for case in wrong(f"rows of {loss.__name__}", loss, *STATE, seconds=60.0)(
            (through_time(shift=-1), "index: the value of the round before, as t - 1"),
        )
    ),
    *wrong("another forward pass", loss, *NETWORK)(
        (updated_early, "updated: the parameters are updated too early, by 0.1 times yours"),
        (
            lambda p, x, y: right(p | {"b": 0 * p["b"]}, x, y),
            "unknown: p['b'] is left out of the forward pass, as if it were 0",
        ),
    ),
    *wrong("transposed weights", transposed, {"v": drawn(5, 3), "w": drawn(2, 5)}, X, Y)(
        (of_transposed_early, "updated: updated too early, by 0.1 times yours"),
    ),
    *wrong("three heads", heads, *HEADS)(
        (of_heads(DECAY), f"updated: {EARLY}."),
        (of_heads(0.0), f"updated: {EARLY}{BARE}"),
        (of_heads(0.0, also=True), "updated: p['m'], p['s'] are updated too early, by 0.3 times"),
    ),
    *wrong("four matrices", read_out, MATRICES, drawn(5, 3), np.array(1.0))(
        (read_out_early, "updated: are updated too early, by 0.1 times yours"),
    ),
    *wrong("shifted scores", shifted, Z, GAINS, SHIFT, C)(
        of_shifted,
        (
            lambda z, _, mask, c: of_shifted(z, 1.0, mask, c),
            "unknown: gains is left out, as if it were 1",
        ),
        (
            lambda z, gains, _, c: of_shifted(z, gains, 0.0, c),
            "unknown: mask is left out, as if it were 0",
        ),
    ),
    *wrong("softmax of what is masked", softmax_of_masked, Z, MASK, verb=check_backward)(
        (without_the_mask, "mask: jnp.where(mask, z, -jnp.inf)"),
    ),
    *wrong("cotangent of a step", curved, Z, verb=check_backward)(
        with_another(lambda d: d),
        (with_another(lambda d: d.flat[0]), "cotangent: its first element everywhere"),
        (with_another(np.sum), "cotangent: its sum everywhere"),
        (with_another(np.mean), "cotangent: its mean everywhere"),
        (with_another(np.square), "cotangent: its square: yours uses it twice"),
        (with_another(lambda d: np.ones(())), "cotangent: does not use it"),
    ),
    *wrong("cotangent of one number", lambda z: (jnp.sum(jnp.sin(z)), z), Z, verb=check_backward)(
        # To the numbers it is a factor, and one that the check has drawn.
        (lambda d, z: np.cos(z), "cotangent: yours is not multiplied by the cotangent"),
        (lambda d, z: d**2 * np.cos(z), "cotangent: is multiplied twice by the cotangent"),
    ),
    # Whose cotangents are constants of what is judged.
    *cases("rule of a product", check_custom, None, drawn(5), drawn(5, seed=2), points=1)(
        Row("right", product_rule(lambda a, b, d, e: (b * d + e, a * d)), verdict="agree"),
        Row(
            "means of cotangents",
            product_rule(lambda a, b, d, e: (b * jnp.mean(d) + jnp.mean(e), a * jnp.mean(d))),
            *("Kind: cotangent.", "taken for its mean everywhere"),
            kinds=("cotangent",),
            verdict="disagree",
        ),
    ),
    *wrong("two mistakes", two_sided, Z, drawn(5), C, np.abs(drawn(5)) + 0.5, verb=check_backward)(
        (
            with_two_mistakes,
            "several: Kind: activation-derivative.",
            "Kind: missing-factor.",
        ),
    ),
]
