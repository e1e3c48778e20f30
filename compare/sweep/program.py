"""The compiled part of a sweep: run blocks of cases on every device, and merge the tallies.

A device runs its blocks one after the other, all of one shape; so a block's numbers have the same
bits on every device, and the tally does not depend on the distribution of blocks.
"""

import zlib
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


#: (settings, number of a block, total, seed, never) -> a tally of the block.
OfBlock = Callable[..., Tally]


class Program:
    """Runs a sweep's blocks on all devices of all processes.

    Args:
        settings: the settings of the sweep.
        total: the number of cases.
        of_block: computes the tally of a block; `compare_block` unless given.
    """

    def __init__(self, settings: Settings, total: int, of_block: OfBlock | None = None) -> None:
        self.settings, self.total = settings, total
        devices = np.asarray(jax.devices())
        mesh = Mesh(devices, (_AXIS,), axis_types=(AxisType.Auto,))
        self._sharded = NamedSharding(mesh, PartitionSpec(_AXIS))
        self._everywhere = NamedSharding(mesh, PartitionSpec())
        self.devices = len(devices)
        on_devices = jax.shard_map(
            partial(_on_device, settings, of_block or compare_block),
            mesh=mesh,
            in_specs=(PartitionSpec(_AXIS), PartitionSpec(_AXIS), *[PartitionSpec()] * 3),
            out_specs=PartitionSpec(_AXIS),
            check_vma=False,
        )
        self._run = jax.jit(
            partial(_all, on_devices), out_shardings=self._everywhere, compiler_options=_options()
        )

    def run(self, starts: np.ndarray, counts: np.ndarray, stops: bool) -> tuple[Tally, bool]:
        """Run some blocks.

        Args:
            starts, counts: each device's first block and number of blocks; int64, (devices,).
            stops: whether this process has a request to stop.

        Returns:
            The tally of all devices, in NumPy, and whether any process has a request to stop.
        """
        local = np.full(self.devices, stops, np.int64)
        given = map(self._shared, (starts, counts, local))
        seed, total = np.uint32(self.settings.seed), np.int64(self.total)
        return jax.device_get(self._run(*given, seed, total, np.int64(0)))

    def differs(self) -> bool:
        """Whether another process has different options."""
        options = np.int64(zlib.crc32(repr((self.settings, self.total)).encode()))
        of_all = self._shared(np.full(self.devices, options))
        spread = jax.jit(lambda o: o.max() - o.min(), out_shardings=self._everywhere)
        return bool(jax.device_get(spread(of_all)) > 0)

    def _shared(self, values: np.ndarray) -> jax.Array:
        """Distribute one number to each device; a process sets those of its own devices."""
        return jax.make_array_from_callback(values.shape, self._sharded, lambda at: values[at])


#: XLA's options on a CPU, by measurement: vectors of eight float64 where the processor has them,
#: and the older code generator for loops; together they give half as many cases a second more.
_ON_CPU = {"xla_cpu_prefer_vector_width": 512, "xla_cpu_use_fusion_emitters": False}


def _options() -> dict[str, Any]:
    """Return the options that this version of XLA knows; none on other devices."""
    if jax.default_backend() != "cpu":
        return {}
    return {name: value for name, value in _ON_CPU.items() if _is_known(name, value)}


def _is_known(name: str, value: Any) -> bool:
    try:
        jax.jit(lambda: 0, compiler_options={name: value}).lower().compile()
    except (jax.errors.JaxRuntimeError, RuntimeError, ValueError):
        return False
    return True


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
    settings: Settings,
    of_block: OfBlock,
    starts: Any,
    counts: Any,
    seed: Any,
    total: Any,
    never: Any,
) -> Tally:
    """Run one device's blocks: starts and counts of shape (1,); the tally's first axis is 1."""

    def add(k: Any, found: Tally) -> Tally:
        return tally.joined(found, of_block(settings, starts[0] + k, total, seed, never))

    nothing = tally.empty(settings.parameters, settings.floats)
    found = jax.lax.fori_loop(0, counts[0], add, nothing)
    return jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], found)


def compare_block(settings: Settings, block: Any, total: Any, seed: Any, never: Any) -> Tally:
    """Draw the cases of a block, compute both gradients, and tally their distances."""
    kept = in_memory(never)
    numbers, is_case = cases.of_block(block, total)
    drawn = kept(cases.drawn(settings, numbers, seed))
    compared = subject_of(settings).compared(drawn, kept)
    return tally.of_block(compared, numbers, is_case, settings.floats, kept)


def evaluate_block(settings: Settings, block: Any, total: Any, seed: Any, never: Any) -> Tally:  # noqa: ARG001 (the form of what is done with a block)
    """Only draw the cases of a block and evaluate the loss by hand: the floor of a sweep.

    The tally has the largest loss in place of the largest ratio.
    """
    numbers, _ = cases.of_block(block, total)
    losses = subject_of(settings).losses(cases.drawn(settings, numbers, seed))
    nothing = tally.empty(settings.parameters, settings.floats)
    return nothing._replace(ratio=losses.max(axis=0))


def subject_of(settings: Settings) -> Subject:
    """Return the subject of the sweep."""
    return Article(settings) if settings.network is None else AnyNetwork(settings, settings.network)
