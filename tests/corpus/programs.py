"""Draw the text of a random loss, and run such a text."""

import itertools
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tests.corpus.operations import ENDS, IDIOMS, NAMES, STEPS

PARAMS = {"p": (3,), "q": (2, 3), "r": (3, 3)}
OPERANDS = {"v": (3,), "w": (3,), "u": (3,), "m": (2, 3), "n": (2, 3), "s": (3, 3), "t": (3, 3)}

#: Lines before the last part; the parts of the sum and their arithmetic come on top.
LINES = 9

#: Larger arrays and larger numbers go into no further line, so that no program explodes.
LARGEST_SIZE, LARGEST = 18, 20.0


@dataclass(frozen=True)
class Program:
    """The text of a loss of `params`, {"p": (3,), "q": (2, 3), "r": (3, 3)}, and of `data`, (5, 2).

    `lines` are pairs of a name and an expression; the last one is what is returned.
    """

    lines: tuple[tuple[str, str], ...]

    @property
    def source(self) -> str:
        """The text of the function `loss`."""
        *body, (_, last) = self.lines
        names = "    p, q, r = params['p'], params['q'], params['r']"
        lines = [f"    {name} = {text}" for name, text in body]
        return "\n".join(["def loss(params, data):", names, *lines, f"    return {last}", ""])


def function(source: str, names: dict[str, Any] = NAMES) -> Any:
    """Return the loss of that text, a new function at each call."""
    found = dict(names)
    exec(compile(source, "<random program>", "exec"), found)
    return found["loss"]


def point(seed: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Draw parameters and data: normal, of scale 1."""
    rng = np.random.default_rng([seed, 1])
    params = {name: rng.normal(size=shape) for name, shape in PARAMS.items()}
    return params, rng.normal(size=(5, 2))


def values(lines: Any, params: Any, data: Any) -> dict[str, Any]:
    """Run lines one by one; return the value of each name."""
    found = {**params, "data": data}
    with jax.enable_x64(True):
        found = {name: jnp.asarray(value) for name, value in found.items()}
        for name, text in lines:
            found[name] = eval(text, {**NAMES, **found})
    return found


class _Holes(dict[str, str]):
    """Fill the holes of a line with names of values, as they are asked for."""

    def __init__(self, rng: np.random.Generator, pool: dict[str, Any], first: str | None) -> None:
        self.rng, self.pool, self.first = rng, pool, first
        self.indices = iter(rng.permutation(3))
        self.used: set[str] = set()

    def __missing__(self, hole: str) -> str:
        self[hole] = self._fill(hole)
        return self[hole]

    def _fill(self, hole: str) -> str:
        if hole in "ijk":
            return str(next(self.indices))
        if hole in "cd":
            return str(round(self.rng.uniform(0.3, 2.0), 2))
        if hole == "axis":
            return str(self.rng.integers(np.ndim(self.pool[self["x"]])))
        if hole == "side":
            return str(self.rng.integers(2))
        found = [name for name, value in self.pool.items() if self._fits(hole, value)]
        if hole == "x" and self.first is not None:
            found = [self.first]
        fresh = [name for name in found if name not in self.used]
        # The newest values are the likelier ones, so that programs are deep and not only wide.
        among = fresh or found
        weights = np.arange(1.0, len(among) + 1)
        name = str(self.rng.choice(among, p=weights / weights.sum()))
        self.used.add(name)
        return name

    def _fits(self, hole: str, value: Any) -> bool:
        if hole in OPERANDS:
            return np.shape(value) == OPERANDS[hole]
        if hole == "x":
            return np.ndim(value) >= 1
        try:
            return np.broadcast_shapes(np.shape(value), np.shape(self.pool[self["x"]])) == np.shape(
                self.pool[self["x"]]
            )
        except ValueError:
            return False


def _usable(value: Any) -> bool:
    array = np.asarray(value)
    return (
        array.dtype == np.float64
        and 0 < array.size <= LARGEST_SIZE
        and bool(np.all(np.isfinite(array)))
        and float(np.max(np.abs(array))) <= LARGEST
    )


def draw(seed: int, wanted: tuple[str, ...] = ()) -> Program:
    """Draw a program that has the wanted operations; the first lines are theirs."""
    return drawn(np.random.default_rng([seed, 0]), point(seed), wanted, LINES)


def drawn(rng: Any, at: Any, wanted: tuple[str, ...], count: int, steps: Any = STEPS) -> Program:
    """Draw a program of at least so many lines, which are usable at a point.

    Args:
        rng: what a `np.random.Generator` does, of which five methods are called.
        at: parameters and data.
        wanted: the operations of the first lines.
        count: of lines before the last part.
        steps: lines by their operation, from which the others are drawn.
    """
    params, data = at
    pool = {name: value for name, value in values((), params, data).items() if name != "data"}
    every = {**NAMES, **values((), params, data)}
    lines: list[tuple[str, str]] = []
    read: set[str] = set()
    names = (f"a{i}" for i in itertools.count())

    def add(texts: Any, first: str | None = None) -> bool:
        """Try to add one of some lines; the value must be fit for further ones."""
        holes = _Holes(rng, pool, first)
        text = str(rng.choice(texts)).format_map(holes)
        with jax.enable_x64(True):
            try:
                value = eval(text, every)
            except (TypeError, ValueError):  # shapes that do not go together
                return False
        if not _usable(value):
            return False
        name = next(names)
        pool[name] = every[name] = value
        lines.append((name, text))
        read.update(holes.used)
        return True

    others = [*steps]
    for key in wanted:
        for _ in range(20):
            if add(steps[key]):
                break
    while len(lines) < max(count, len(wanted)):
        add(IDIOMS if rng.random() < 0.2 else steps[str(rng.choice(others))])
    ends: list[str] = []
    for name in [name for name in pool if name not in read]:
        if np.ndim(pool[name]) == 0:
            ends.append(name)
            continue
        while not add(ENDS, name):
            pass
        ends.append(lines[-1][0])
    signs = rng.choice(["+", "-"], size=len(ends))
    total = ends[0] + "".join(f" {s} {e}" for s, e in zip(signs[1:], ends[1:], strict=True))
    return Program((*lines, ("", total)))
