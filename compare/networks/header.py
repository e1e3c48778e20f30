"""What the header of a model's file may say: one description, key by key.

A header is taken as it is or refused: nothing in it is converted, so that what is written back
after a training went on says what was read.
"""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from compare.limits import (
    LARGEST_BATCH,
    LARGEST_L2,
    LARGEST_SEED,
    LARGEST_TEST_FRACTION,
    MOST_EPOCHS,
    MOST_PARAMETERS,
)
from compare.networks.sides import BY_AUTODIFF, BY_HAND
from compare.wording import shown
from manual.activations import ACTIVATIONS
from manual.losses import LOSSES
from manual.optimisers import OPTIMISERS

Check = Callable[[Any], bool]


def _whole(low: int, high: int) -> Check:
    return lambda value: type(value) is int and low <= value <= high


def _number(low: float, high: float) -> Check:
    return lambda value: type(value) in (int, float) and low <= value <= high


def _above_0(high: float) -> Check:
    return lambda value: type(value) in (int, float) and 0 < value <= high


def _any_number(value: Any) -> bool:
    return type(value) in (int, float)


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
    return sum((n_in + 1) * n_out for n_in, n_out in pairwise(value)) <= MOST_PARAMETERS


def _sides(value: Any) -> bool:
    return value in ([BY_HAND], [BY_AUTODIFF], [BY_HAND, BY_AUTODIFF])


_DIVERGENCE = {
    "update": _whole(0, 2**62),
    "parameter": lambda value: type(value) is str,  # none for a loss
    "quantity": _one_of("gradient", "moment", "update", "loss"),
    "along": _one_of(BY_HAND, BY_AUTODIFF),
    "off": _one_of(BY_HAND, BY_AUTODIFF, "both"),
    "by_hand": _any_number,
    "autodiff": _any_number,
    "bound": _any_number,
    "ulps": _any_number,
}

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
        "learning_rate": _above_0(1.7976931348623157e308),
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
    "first_divergence": lambda value: value is None or _fits(value, _DIVERGENCE),
    "max_drift_ulps": _number(0, math.inf),
}


def check(header: Any) -> None:
    """Refuse a header that no training has written.

    Raises:
        ValueError: which key, and what it says.
    """
    if complaint := _complaint(header, HEADER, "header"):
        raise ValueError(complaint)
    source, done = header["source"], header["done"]
    classes, outputs = source["classes"], header["plan"]["network"]["sizes"][-1]
    allowed = {1} if classes is None else {len(classes)} | ({1} if len(classes) == 2 else set())
    n_in = header["plan"]["network"]["sizes"][0]
    for what, fits in (
        (f"epochs {header['epochs']}, of which {done} are done", done <= header["epochs"]),
        (f"kind {source['kind']}", (source["kind"] == "number") == (classes is None)),
        (f"{outputs} outputs", outputs in allowed),
        (f"{len(source['features'])} features for {n_in} inputs", len(source["features"]) == n_in),
        ("a divergence", header["first_divergence"] is None or len(header["by"]) == 2),
    ):
        if not fits:
            raise ValueError(what)


def _fits(value: Any, wanted: dict[str, Any]) -> bool:
    return _complaint(value, wanted, "") is None


def _complaint(value: Any, wanted: Any, where: str) -> str | None:
    """The first key whose value is not as `wanted`, with the value; None if there is none."""
    if callable(wanted):
        return None if wanted(value) else f"{where} is {shown(repr(value))}"
    if type(value) is not dict:
        return f"{where} is {shown(repr(value))}"
    for key in wanted:
        if key not in value:
            return f"{where} has no {key}"
    for key in value:
        if key not in wanted:
            return f"{where} has {shown(repr(key))}"
    found = (_complaint(value[key], wanted[key], key) for key in wanted)
    return next((complaint for complaint in found if complaint), None)
