"""Read parameters from a JSON file, for an exercise or to inspect a network.

For the article's network the file is an object with its nine numbers, {"w1": 1, ..., "b3": 0}. For
any other it is {"layers": [{"w": [[...], ...], "b": [...]}, ...]}, w with a row for each input of
the layer, and optionally "activation", "output", "loss" or "l2".
"""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import UNSET, Meta, Struct, UnsetType, defstruct

from compare.schema import converted, read_json
from compare.wording import LONGEST_PATH, InputError, shown
from manual.affine import Layer
from manual.article import Parameters
from manual.network import LINKS, Network

#: The optional keys beside the layers.
KINDS = ("activation", "output", "loss", "l2")

#: Bytes; far more than any network small enough to be traced needs.
LONGEST = 1_000_000

Finite = Annotated[float, Meta(ge=-sys.float_info.max, le=sys.float_info.max)]
_Numbers = Annotated[list[Finite], Meta(min_length=1)]

_Nine = defstruct("_Nine", [(n, Finite) for n in Parameters._fields], forbid_unknown_fields=True)


class _Layer(Struct, forbid_unknown_fields=True):
    w: Annotated[list[_Numbers], Meta(min_length=1)]
    b: _Numbers


class _Network(Struct, forbid_unknown_fields=True):
    layers: Annotated[list[_Layer], Meta(min_length=1)]
    activation: str | UnsetType = UNSET
    output: str | UnsetType = UNSET
    loss: str | UnsetType = UNSET
    l2: Finite | UnsetType = UNSET


def network_of(sizes: tuple[int, ...], kinds: dict[str, Any]) -> Network:
    """Build the network of these sizes; what `kinds` omits has its default.

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
    """The content of a file."""

    params: Parameters | list[Layer]
    kinds: dict[str, Any] = field(default_factory=dict)  #: those of `KINDS` that it names

    @property
    def sizes(self) -> tuple[int, ...]:
        """The numbers of inputs and of each layer's units."""
        if isinstance(self.params, Parameters):
            return (2, 2, 1)
        return (self.params[0].w.shape[0], *(layer.b.shape[0] for layer in self.params))


def read_parameters(path: Path) -> Written:
    """Read a file.

    Raises:
        InputError: the file cannot be read or has other content; says where.
    """
    where = shown(str(path), LONGEST_PATH)
    expected = "a JSON file with parameters, as docs/teaching.md shows"
    content = read_json(path, expected, LONGEST)
    if isinstance(content, dict) and "layers" in content:
        return _network(converted(content, _Network, where), where)
    names = ", ".join(Parameters._fields)
    nine = converted(content, _Nine, where, f" (expected {names}, or layers)")
    return Written(Parameters(*map(np.float64, msgspec.structs.astuple(nine))))


def _network(content: _Network, where: str) -> Written:
    made, above = [], None
    for at, layer in enumerate(content.layers):
        units = len(layer.b)
        if any(len(row) != units for row in layer.w):
            raise InputError(
                f"{where}: layers[{at}].w; expected a row for each input, with {units} numbers in "
                "each, one for each unit"
            )
        if above not in (None, len(layer.w)):
            raise InputError(
                f"{where}: layers[{at}].w has {len(layer.w)} rows; expected {above}, one for each "
                "unit of the layer before it"
            )
        made.append(Layer(np.array(layer.w), np.array(layer.b)))
        above = units
    kinds = {name: getattr(content, name) for name in KINDS}
    written = Written(made, {k: v for k, v in kinds.items() if v is not UNSET})
    try:
        network_of(written.sizes, written.kinds)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    return written


def as_layers(params: Parameters) -> list[Layer]:
    """Arrange the article's nine parameters as two layers."""
    w1, w2, w3, w4, w5, w6, b1, b2, b3 = params
    hidden = Layer(np.array([[w1, w3], [w2, w4]]), np.array([b1, b2]))
    return [hidden, Layer(np.array([[w5], [w6]]), np.array([b3]))]
