"""What the header of a model's file may say: one description, key by key.

A header is taken as it is or refused: nothing in it is converted, so that what is written back
after a training went on says what was read.
"""

import math
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from compare.limits import (
    LARGEST_BATCH,
    LARGEST_L2,
    LARGEST_SEED,
    LARGEST_SINGLE_RATE,
    LARGEST_TEST_FRACTION,
    MOST_EPOCHS,
    MOST_PARAMETERS,
    SMALLEST_SINGLE_RATE,
    count_parameters,
)
from compare.networks.sides import BY_AUTODIFF, BY_HAND
from compare.wording import shown
from manual.activations import ACTIVATIONS
from manual.losses import LOSSES
from manual.optimisers import OPTIMISERS

Check = Callable[[Any], bool]


class OrNone(NamedTuple):
    """An object that may be missing."""

    wanted: dict[str, Any]


def _whole(low: int, high: int) -> Check:
    return lambda value: type(value) is int and low <= value <= high


def _number(low: float, high: float) -> Check:
    return lambda value: _is_a_number(value) and low <= value <= high


def _above_0(high: float) -> Check:
    return lambda value: _is_a_number(value) and 0 < value <= high


def _is_a_number(value: Any) -> bool:
    """A float, or a whole number that a float holds as it is."""
    return type(value) is float or (type(value) is int and abs(value) <= 2**53)


def _text(value: Any) -> bool:
    return type(value) is str and value != ""


def _names(value: Any) -> bool:
    return type(value) is list and all(map(_text, value)) and 0 < len(value) == len(set(value))


def _one_of(*names: str) -> Check:
    return lambda value: type(value) is str and value in names


def _or_none(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _sizes(value: Any) -> bool:
    if type(value) is not list or len(value) < 2:
        return False
    if not all(map(_whole(1, MOST_PARAMETERS), value)):
        return False
    return count_parameters(value) <= MOST_PARAMETERS


def _sides(value: Any) -> bool:
    return value in ([BY_HAND], [BY_AUTODIFF], [BY_HAND, BY_AUTODIFF])


_DIVERGENCE = {
    "update": _whole(0, 2**62),
    "parameter": lambda value: type(value) is str,  # none for a loss
    "quantity": _one_of("shape", "gradient", "moment", "update", "loss"),
    "along": _one_of(BY_HAND, BY_AUTODIFF),
    "off": _one_of(BY_HAND, BY_AUTODIFF, "both"),
    "by_hand": _is_a_number,
    "autodiff": _is_a_number,
    "bound": _is_a_number,
    "ulps": _is_a_number,
}

ROOT = "header"

#: Key by key: what its value must be, or what the object in its place must hold.
HEADER: dict[str, Any] = {
    "plan": {
        "network": {
            "sizes": _sizes,
            "activation": _one_of(*ACTIVATIONS),
            "output": _one_of(*ACTIVATIONS),
            "loss": _one_of(*LOSSES),
            "l2": _number(0, LARGEST_L2),
        },
        "optimiser": _one_of(*OPTIMISERS),
        "learning_rate": _above_0(sys.float_info.max),
        "batch": _whole(1, LARGEST_BATCH),
        "seed": _whole(0, LARGEST_SEED),
        "dtype": _one_of("float32", "float64"),
    },
    "source": {
        "name": _text,
        "features": _names,
        "target": _text,
        "classes": _or_none(_names),
        "kind": _one_of("classes", "number"),
        "raw": lambda value: type(value) is bool,
        "fingerprint": _text,
    },
    "test_fraction": _above_0(LARGEST_TEST_FRACTION),
    "epochs": _whole(0, MOST_EPOCHS),
    "by": _sides,
    "done": _whole(0, MOST_EPOCHS),
    "first_divergence": OrNone(_DIVERGENCE),
    "max_drift_ulps": _number(0, math.inf),
}


def check(header: Any) -> None:
    """Refuse a header that no training has written.

    Raises:
        ValueError: which key, and what it says.
    """
    if complaint := _complaint(header, HEADER, ROOT):
        raise ValueError(complaint)
    source, plan, done = header["source"], header["plan"], header["done"]
    classes, outputs = source["classes"], plan["network"]["sizes"][-1]
    allowed = {1} if classes is None else {len(classes)} | ({1} if len(classes) == 2 else set())
    n_in, rate = plan["network"]["sizes"][0], plan["learning_rate"]
    single = SMALLEST_SINGLE_RATE < rate < LARGEST_SINGLE_RATE
    for what, fits in (
        (f"epochs {header['epochs']}, of which {done} are done", done <= header["epochs"]),
        (f"kind {source['kind']}", (source["kind"] == "number") == (classes is None)),
        (f"{outputs} outputs", outputs in allowed),
        (f"{len(source['features'])} features for {n_in} inputs", len(source["features"]) == n_in),
        (f"learning_rate {rate:g} in float32", single or plan["dtype"] != "float32"),
        ("a divergence of one side", header["first_divergence"] is None or len(header["by"]) == 2),
    ):
        if not fits:
            raise ValueError(what)


def _complaint(value: Any, wanted: Any, where: str) -> str | None:
    """The first key whose value is not as `wanted`, with the value; None if there is none."""
    if callable(wanted):
        return None if wanted(value) else f"{where} is {shown(repr(value))}"
    if isinstance(wanted, OrNone):
        return None if value is None else _complaint(value, wanted.wanted, where)
    if type(value) is not dict:
        return f"{where} is {shown(repr(value))}"
    for key in wanted:
        if key not in value:
            return f"{where} has no {key}"
    for key in value:
        if key not in wanted:
            return f"{where} has {shown(repr(key))}"
    inside = "" if where == ROOT else f"{where}."
    found = (_complaint(value[key], wanted[key], f"{inside}{key}") for key in wanted)
    return next((complaint for complaint in found if complaint), None)
