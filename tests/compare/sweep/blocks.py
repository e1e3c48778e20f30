"""Blocks of cases as NumPy has them."""

from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from compare.sweep import cases, tally
from compare.sweep.distributions import distribution
from compare.sweep.program import subject_of
from compare.sweep.settings import Settings
from compare.sweep.subject import in_memory
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
    tally: Tally


def block(settings: Settings, number: int = 0, total: int = 10**15) -> Block:
    """One block, compiled as in a sweep."""
    with jax.enable_x64(True):
        which, parts, counted = jax.device_get(_compiled(settings)(number, total, np.int64(0)))
    by_hand, autodiff, allowed = parts
    return Block(which.ravel(), by_hand, autodiff, allowed, counted)


@cache
def _compiled(settings: Settings) -> Any:
    def go_through(number: Any, total: Any, never: Any) -> Any:
        kept = in_memory(never)
        which, is_case = cases.of_block(number, total)
        compared = subject_of(settings).compared(cases.drawn(settings, which, settings.seed), kept)
        counted = tally.of_block(compared, which, is_case, settings.floats, kept)
        return which, [jnp.concatenate(list(map(_rows, part))) for part in compared], counted

    return jax.jit(go_through)


def _rows(array: Any) -> Any:
    return array.reshape(-1, cases.BLOCK)


def drawn_alone(settings: Settings, case: int) -> list[float]:
    """The numbers of one case, asked for alone."""
    with jax.enable_x64(True):
        numbers = _drawn(settings)(jnp.asarray([case]), settings.seed)
        return [float(number[0]) for number in jax.device_get(numbers)]


@cache
def _drawn(settings: Settings) -> Any:
    return jax.jit(partial(cases.drawn, settings))
