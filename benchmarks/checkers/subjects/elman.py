"""An Elman network: a scan over time, squared errors at every step."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.checkers.subject import Subject
from benchmarks.checkers.subjects.draws import layers
from benchmarks.checkers.subjects.lines import squared_error_backward, tanh_slope
from benchmarks.checkers.subjects.planting import planted

#: The learning rate of the weights that are updated too early.
RATE = 0.05


class Elman(NamedTuple):
    """h' = tanh(x @ wx + h @ wh + b), and out of it h' @ wy + c."""

    wx: Any
    wh: Any
    b: Any
    wy: Any
    c: Any


def _loss(net: Elman, xs: Any, ys: Any) -> Any:
    """The mean over steps and examples: xs of shape (time, n, 3), ys of shape (time, n, 2)."""

    def step(h: Any, x: Any) -> tuple[Any, Any]:
        h = jnp.tanh(x @ net.wx + h @ net.wh + net.b[None, :])
        return h, h @ net.wy + net.c[None, :]

    _, outputs = jax.lax.scan(step, jnp.zeros((xs.shape[1], len(net.b))), xs)
    return jnp.mean(jnp.sum((outputs - ys) ** 2, axis=-1))


def _gradient(net: Elman, xs: Any, ys: Any, mistake: str = "") -> Elman:
    hs = [np.zeros((xs.shape[1], len(net.b)))]
    for x in xs:
        hs.append(np.tanh(x @ net.wx + hs[-1] @ net.wh + net.b))
    outputs = np.stack([h @ net.wy + net.c for h in hs[1:]])
    # mean(sum((outputs - ys) ** 2, axis=-1))
    n = ys.shape[0] * ys.shape[1]
    wrong = {"missing-mean": 1, "double-mean": n * n, "mean-over-outputs": ys.size}
    douts = squared_error_backward(outputs, ys, mistake) / wrong.get(mistake, n)
    # outputs = h @ wy + c
    dwy = sum(h.T @ d for h, d in zip(hs[1:], douts, strict=True))
    dc = douts.sum(axis=(0, 1))
    wy = net.wy - RATE * dwy if mistake == "update-before-use" else net.wy
    dzs = _through_time(net.wh, hs, douts @ wy.T, mistake)
    # z = x @ wx + h @ wh + b
    into = hs[1:] if mistake == "dw-after-activation" else hs[:-1]
    dwh = sum(h.T @ dz for h, dz in zip(into, dzs, strict=True))
    dwx = sum(x.T @ dz for x, dz in zip(xs, dzs, strict=True))
    if mistake == "dw-transposed":
        dwh = sum(dz.T @ h for h, dz in zip(into, dzs, strict=True))
    return Elman(dwx, dwh, _bias(dzs, mistake), dwy, dc)


def _through_time(wh: Any, hs: list[Any], dhs: Any, mistake: str) -> Any:
    """The derivatives by the sums of all steps, last step first, given those by the outputs."""
    dzs, dnext = [], np.zeros_like(hs[0])
    for t in reversed(range(len(dhs))):
        # h is used for the output and for the next step
        dh = dhs[t] + dnext
        # h = tanh(z)
        dzs.insert(0, dh * tanh_slope(hs[t + 1], mistake))
        # z' = x @ wx + h @ wh + b
        dnext = dzs[0] @ (wh if mistake == "dx-untransposed" else wh.T)
        if mistake == "dropped-term":
            dnext = np.zeros_like(dnext)
    return np.stack(dzs)


def _bias(dzs: Any, mistake: str) -> Any:
    if mistake == "bias-mean":
        return dzs.mean(axis=(0, 1))
    if mistake == "bias-wrong-axis":
        return dzs.sum(axis=(0, 2))
    # Unsummed: over time it is, over the examples it is not.
    return dzs.sum(axis=0) if mistake == "bias-unsummed" else dzs.sum(axis=(0, 1))


def _draw(rng: np.random.Generator) -> tuple[Any, ...]:
    (wx, b), (wh, _), (wy, c) = layers(rng, 3, 5, 5, 2)
    return Elman(wx, 0.7 * wh, b, wy, c), rng.normal(size=(4, 7, 3)), rng.normal(size=(4, 7, 2))


SUBJECTS = [
    Subject(
        "elman-scan",
        _loss,
        _gradient,
        _draw,
        planted(
            _gradient,
            "missing-square",
            "half-mse",
            "missing-mean",
            "double-mean",
            "mean-over-outputs",
            "residual-sign",
            "bias-mean",
            "bias-unsummed",
            "bias-wrong-axis",
            "dw-transposed",
            "dx-untransposed",
            "dw-after-activation",
            "tanh-linear",
            "tanh-of-h",
            "no-activation-derivative",
            "update-before-use",
            "dropped-term",
        ),
    ),
]
