"""Parameters that somebody wrote into a JSON file, to set an exercise or to look at a network.

For the article's network an object with its nine numbers, {"w1": 1, ..., "b3": 0}. For any other
{"layers": [{"w": [[...], ...], "b": [...]}, ...]}, w with a row for each input of the layer, and
beside it, if it is not the usual one, "activation", "output", "loss" or "l2".
"""

import json
import math
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from compare.wording import LONGEST_PATH, InputError, shown
from manual.affine import Layer
from manual.article import Parameters
from manual.network import LINKS, Network

#: What may stand beside the layers.
KINDS = ("activation", "output", "loss", "l2")

#: Bytes; far more than a network that can be read link by link has.
LONGEST = 1_000_000


def network_of(sizes: tuple[int, ...], kinds: dict[str, Any]) -> Network:
    """The network of these sizes, with what `kinds` leaves open as usual.

    Raises:
        InputError: see `Network`.
    """
    usual = {"activation": "sigmoid", "loss": "mse", "l2": 0.0} | kinds
    usual.setdefault("output", "identity" if usual["loss"] in LINKS else "sigmoid")
    try:
        return Network(sizes, **usual)
    except ValueError as error:
        raise InputError(str(error)) from error


@dataclass(frozen=True, eq=False)
class Written:
    """What a file holds."""

    params: Parameters | list[Layer]
    kinds: dict[str, Any] = field(default_factory=dict)  #: those of `KINDS` that it names

    @property
    def sizes(self) -> tuple[int, ...]:
        """Numbers of inputs and of each layer's units."""
        if isinstance(self.params, Parameters):
            return (2, 2, 1)
        return (self.params[0].w.shape[0], *(layer.b.shape[0] for layer in self.params))


def read_parameters(path: Path) -> Written:
    """What stands in a file.

    Raises:
        InputError: the file cannot be read, or holds something else; says where.
    """
    where = shown(str(path), LONGEST_PATH)
    try:
        content = json.loads(_text(path, where), object_pairs_hook=_without_twins)
    except InputError:
        raise
    except _TwiceError as error:
        raise InputError(f"{where}: {shown(str(error))} twice; expected it once") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"{where}: {reason}; expected a JSON file with parameters") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise InputError(f"{where}, {place}: {error.msg}; expected JSON") from error
    except (ValueError, RecursionError) as error:  # not UTF-8, a number or a nesting without end
        raise InputError(f"{where}: no JSON; expected a JSON file with parameters") from error
    return _Reader(where).written(content)


def _text(path: Path, where: str) -> str:
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise InputError(f"{where}: no regular file; expected a JSON file with parameters")
    with path.open("rb") as file:
        content = file.read(LONGEST + 1)
    if len(content) > LONGEST:
        raise InputError(f"{where}: more than {LONGEST} bytes; expected some parameters in JSON")
    return content.decode("utf-8")


class _TwiceError(Exception):
    """A name that an object has twice."""


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if twins := [name for name in names if names.count(name) > 1]:
        raise _TwiceError(twins[0])
    return dict(pairs)


def as_layers(params: Parameters) -> list[Layer]:
    """The article's nine parameters as a network of two layers has them."""
    w1, w2, w3, w4, w5, w6, b1, b2, b3 = params
    hidden = Layer(np.array([[w1, w3], [w2, w4]]), np.array([b1, b2]))
    return [hidden, Layer(np.array([[w5], [w6]]), np.array([b3]))]


class _Reader:
    def __init__(self, where: str) -> None:
        self.where = where

    def written(self, content: Any) -> Written:
        names = ", ".join(Parameters._fields)
        if not isinstance(content, dict):
            raise self._refused(_kind(content), f"an object with {names}, or with layers")
        if "layers" in content:
            return self._network(content)
        for name in Parameters._fields:
            if name not in content:
                raise self._refused(f"no {name}", f"all of {names}, or layers")
        for name in content:
            if name not in Parameters._fields:
                raise self._refused(f"{shown(name)} is unknown", f"{names}, or layers")
        return Written(Parameters(*(self._number(n, content[n]) for n in Parameters._fields)))

    def _network(self, content: dict[str, Any]) -> Written:
        for name in content:
            if name not in ("layers", *KINDS):
                raise self._refused(f"{shown(name)} is unknown", f"layers, {', '.join(KINDS)}")
        layers = content["layers"]
        if not isinstance(layers, list) or not layers:
            raise self._refused("layers", "a list of objects with w and b")
        made = [self._layer(at, layer) for at, layer in enumerate(layers)]
        for at, (before, after) in enumerate(pairwise(made), start=1):
            if before.b.shape[0] != after.w.shape[0]:
                raise self._refused(
                    f"layers[{at}].w has {after.w.shape[0]} rows",
                    f"{before.b.shape[0]}, one for each unit of the layer before it",
                )
        written = Written(made, self._kinds(content))
        try:
            network_of(written.sizes, written.kinds)
        except InputError as error:
            raise InputError(f"{self.where}: {error}") from error
        return written

    def _kinds(self, content: dict[str, Any]) -> dict[str, Any]:
        kinds = {name: content[name] for name in KINDS if name in content}
        for name, value in kinds.items():
            if name == "l2":
                kinds[name] = float(self._number(name, value))
            elif not isinstance(value, str):
                raise self._refused(f"{name}: {shown(json.dumps(value))}", "a name")
        return kinds

    def _layer(self, at: int, layer: Any) -> Layer:
        if not isinstance(layer, dict) or set(layer) != set(Layer._fields):
            raise self._refused(f"layers[{at}]", "an object with w and b")
        w, b = layer["w"], layer["b"]
        if not (isinstance(b, list) and b):
            raise self._refused(f"layers[{at}].b", "a list of numbers, one for each unit")
        if not (isinstance(w, list) and w and all(_is_list_of(row, len(b)) for row in w)):
            expected = f"a row for each input, with {len(b)} numbers in each, one for each unit"
            raise self._refused(f"layers[{at}].w", expected)
        return Layer(
            np.array([[self._number(f"layers[{at}].w", n) for n in row] for row in w]),
            np.array([self._number(f"layers[{at}].b", n) for n in b]),
        )

    def _number(self, name: str, value: Any) -> np.float64:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._refused(f"{name}: {shown(json.dumps(value))}", "a number")
        if not math.isfinite(number := _as_float(value)):
            raise self._refused(f"{name}: {shown(str(value))}", "a finite number")
        return np.float64(number)

    def _refused(self, found: str, expected: str) -> InputError:
        return InputError(f"{self.where}: {found}; expected {expected}")


def _kind(value: Any) -> str:
    return {list: "a list", str: "a text", bool: "a truth value"}.get(type(value), "a number")


def _is_list_of(row: Any, count: int) -> bool:
    return isinstance(row, list) and len(row) == count


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf
