"""Blocks of cases as NumPy has them."""

from dataclasses import replace
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import manual.network
from compare.sweep import cases, program, tally
from compare.sweep.distributions import FLOATS, distribution
from compare.sweep.program import subject_of
from compare.sweep.settings import Settings
from compare.sweep.subject import Compared, in_memory
from compare.sweep.tally import Tally
from manual.network import Network


def swept(
    network: Network | None = None,
    examples: int = 1,
    dtype: str = "float64",
    weights: str = "uniform:5",
    inputs: str = "uniform:20",
    seed: int = 0,
    form: str = "stable",
    plant: str | None = None,
) -> Settings:
    """Settings, most of them as usual."""
    return Settings(
        network=network,
        examples=examples,
        dtype=dtype,
        weights=distribution(weights),
        inputs=distribution(inputs),
        seed=seed,
        form=form,
        plant=plant,
    )


class Block(NamedTuple):
    """A row for each parameter, a column for each case."""

    cases: np.ndarray
    by_hand: np.ndarray
    autodiff: np.ndarray
    allowed: np.ndarray


@cache
def block(settings: Settings, number: int = 0) -> Block:
    """One block, drawn operation by operation, and compiled as in a sweep from there on."""
    which, compared = taken(settings, number)
    parts = [np.concatenate([_rows(array) for array in part]) for part in compared]
    return Block(np.asarray(which).ravel(), *parts)


def taken(settings: Settings, number: int, total: int = 10**15) -> tuple[Any, Compared]:
    """The cases of a block, and what a tally is given of them."""
    with jax.enable_x64(True):
        which, _ = cases.of_block(number, total)
        drawn = cases.drawn(settings, which, settings.seed)
        return which, jax.device_get(_comparing(settings)(drawn, np.int64(0)))


@cache
def _comparing(settings: Settings) -> Any:
    return jax.jit(
        lambda drawn, never: subject_of(settings).compared(drawn, in_memory(never)),
        compiler_options=program.options(),
    )


def tally_of(settings: Settings, number: int = 0, total: int = 10**15) -> Tally:
    """The tally of one block."""
    which, compared = taken(settings, number, total)
    is_case = np.arange(cases.BLOCK).reshape(which.shape) + number * cases.BLOCK < total
    return tallied(compared, which, is_case, settings.dtype)


def tallied(compared: Compared, which: Any, is_case: Any, dtype: str) -> Tally:
    """The tally of arrays; compiled once for each format and number of parameters."""
    with jax.enable_x64(True):
        return jax.device_get(_counting(dtype)(compared, which, is_case, np.int64(0)))


@cache
def _counting(dtype: str) -> Any:
    return jax.jit(
        lambda compared, which, is_case, never: tally.of_block(
            compared, which, is_case, FLOATS[dtype], in_memory(never)
        )
    )


def _rows(array: Any) -> Any:
    return np.reshape(array, (-1, cases.BLOCK))


def drawn_alone(settings: Settings, case: int) -> list[float]:
    """The numbers of one case, asked for alone."""
    with jax.enable_x64(True):
        numbers = _drawn(settings)(jnp.asarray([case]), settings.seed)
        return [float(number[0]) for number in jax.device_get(numbers)]


@cache
def _drawn(settings: Settings) -> Any:
    return jax.jit(partial(cases.drawn, settings))


class Shared(program.Program):
    """A sweep's program that is traced and compiled once for all sweeps of the same lines."""

    def __init__(self, settings: Settings, total: int, of_block: Any = None) -> None:
        right = manual.network.gradient  # a test may put a wrong one in its place
        key = (replace(settings, seed=0), of_block, right)
        if key not in _SHARED:
            super().__init__(settings, total, of_block)
            _SHARED[key] = vars(self).copy()
        vars(self).update(_SHARED[key] | {"settings": settings, "total": total})


_SHARED: dict[Any, dict[str, Any]] = {}
