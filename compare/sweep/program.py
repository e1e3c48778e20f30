"""The compiled part of a sweep: blocks of cases on every device, and one tally of all.

A device goes through its blocks one after the other, each of one shape; so a block's numbers are
the same bits wherever it is gone through, and a tally does not depend on who counted.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from compare.sweep import cases, tally
from compare.sweep.article import Article
from compare.sweep.network import AnyNetwork
from compare.sweep.settings import Settings
from compare.sweep.subject import Subject, in_memory
from compare.sweep.tally import Tally

_AXIS = "devices"


class Program:
    """A sweep's blocks, on all devices of all processes.

    Args:
        settings: what is swept.
        total: how many cases.
    """

    def __init__(self, settings: Settings, total: int) -> None:
        self.settings, self.total = settings, total
        devices = np.asarray(jax.devices())
        mesh = Mesh(devices, (_AXIS,), axis_types=(AxisType.Auto,))
        self._sharded = NamedSharding(mesh, PartitionSpec(_AXIS))
        everywhere = NamedSharding(mesh, PartitionSpec())
        self.devices = len(devices)
        on_devices = jax.shard_map(
            partial(_on_device, settings),
            mesh=mesh,
            in_specs=(PartitionSpec(_AXIS), PartitionSpec(_AXIS), *[PartitionSpec()] * 3),
            out_specs=PartitionSpec(_AXIS),
            check_vma=False,
        )
        self._run = jax.jit(partial(_all, on_devices), out_shardings=everywhere)

    def run(self, starts: np.ndarray, counts: np.ndarray, stops: bool) -> tuple[Tally, bool]:
        """Go through some blocks.

        Args:
            starts, counts: for each device its first block, and how many; int64, (devices,).
            stops: whether this process was asked to stop.

        Returns:
            The tally of all devices, in NumPy, and whether any process was asked to stop.
        """
        local = np.full(self.devices, stops, np.int64)
        given = (self._shared(starts), self._shared(counts), self._shared(local))
        seed, total = np.uint32(self.settings.seed), np.int64(self.total)
        return jax.device_get(self._run(*given, seed, total, np.int64(0)))

    def _shared(self, values: np.ndarray) -> jax.Array:
        """One number for each device; a process has those of its own devices."""
        return jax.make_array_from_callback(values.shape, self._sharded, lambda at: values[at])


def _all(
    on_devices: Callable[..., Tally],
    starts: Any,
    counts: Any,
    stops: Any,
    seed: Any,
    total: Any,
    never: Any,
) -> tuple[Tally, Any]:
    found = on_devices(starts, counts, seed, total, never)
    parts = [jax.tree.map(lambda leaf, k=k: leaf[k], found) for k in range(starts.shape[0])]
    whole = parts[0]
    for part in parts[1:]:
        whole = tally.joined(whole, part)
    return whole, stops.max() > 0


def _on_device(
    settings: Settings, starts: Any, counts: Any, seed: Any, total: Any, never: Any
) -> Tally:
    """The blocks of one device: starts and counts of shape (1,), a tally with a first axis of 1."""
    kept, subject = in_memory(never), subject_of(settings)

    def add(k: Any, found: Tally) -> Tally:
        numbers, is_case = cases.of_block(starts[0] + k, total)
        drawn = kept(cases.drawn(settings, numbers, seed))
        compared = subject.compared(drawn, kept)
        block = tally.of_block(compared, numbers, is_case, settings.floats, kept)
        return tally.joined(found, block)

    nothing = tally.empty(settings.parameters, settings.floats)
    found = jax.lax.fori_loop(0, counts[0], add, nothing)
    return jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], found)


def subject_of(settings: Settings) -> Subject:
    """The network that is swept."""
    return Article(settings) if settings.network is None else AnyNetwork(settings, settings.network)
