"""The connectionist temporal classification loss."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from handgrad.program.aten.operations.promotion import wide
from handgrad.program.aten.registry import operation

#: log 0, of what cannot be: finite, so that its exponential is 0 and differences are numbers.
NEVER = -1e30


@operation("_ctc_loss", "_ctc_loss.Tensor")
def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    zero_infinity: bool = False,
) -> tuple[Any, Any]:
    """Return -log of the probability of each target, over all alignments, and log α.

    Args:
        log_probs: (time, N, classes).
        targets: (N, longest), or all of them in one vector; their values must be known.
        input_lengths: N.
        target_lengths: N.
        blank: the class between others.
        zero_infinity: whether losses that are infinite become 0.
    """
    log_probs = wide(log_probs)
    lengths, steps = np.asarray(target_lengths), np.asarray(input_lengths)
    rows = _rows(np.asarray(targets), lengths)
    labels = np.full((len(rows), 2 * max(map(len, rows), default=0) + 1), blank)
    for row, target in zip(labels, rows, strict=True):
        row[1 : 2 * len(target) : 2] = target
    alphas = _forward(log_probs, labels, blank)
    last = alphas[np.arange(len(rows)), steps - 1]
    ends = np.arange(labels.shape[1]) - 2 * lengths[:, None]
    reached = jnp.where((ends == 0) | (ends == -1), last, NEVER)
    losses = -jax.nn.logsumexp(reached, axis=1)
    without = jnp.asarray(0.0 if zero_infinity else jnp.inf, losses.dtype)
    losses = jnp.where(losses > -NEVER / 2, without, losses)
    return losses, jnp.where(alphas < NEVER / 2, -jnp.inf, alphas)


def _rows(targets: np.ndarray, lengths: np.ndarray) -> list[np.ndarray]:
    if targets.ndim == 1:
        return np.split(targets, np.cumsum(lengths))[:-1]
    return [target[:n] for target, n in zip(targets, lengths, strict=True)]


def _forward(log_probs: Any, labels: np.ndarray, blank: int) -> Any:
    """Return log α, (N, time, labels): of all beginnings that end at a label at a time."""
    n, width = labels.shape
    seen = jnp.take_along_axis(log_probs, labels[None], axis=2, mode="promise_in_bounds")
    skips = np.zeros(labels.shape, bool)
    skips[:, 2:] = (labels[:, 2:] != blank) & (labels[:, 2:] != labels[:, :-2])
    first = jnp.where(np.arange(width) < 2, seen[0], NEVER)
    found: Sequence[Any] = [first]
    nothing = jnp.full((n, 2), NEVER, log_probs.dtype)
    for now in seen[1:]:
        before = jnp.concatenate([nothing, found[-1]], axis=1)
        ways = [before[:, 2:], before[:, 1:-1], jnp.where(skips, before[:, :-2], NEVER)]
        found = [*found, jax.nn.logsumexp(jnp.stack(ways), axis=0) + now]
    return jnp.stack(found, axis=1)
