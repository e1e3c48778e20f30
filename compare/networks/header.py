"""The header of a model's file, and its validation.

A header is accepted as it is or refused: nothing in it is converted, so the same values are written
back after a training has gone on.
"""

import json
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from msgspec import Meta

from compare.limits import (
    LARGEST_L2,
    LARGEST_SINGLE_RATE,
    LARGEST_TEST_FRACTION,
    MOST_EPOCHS,
    MOST_PARAMETERS,
    SMALLEST_SINGLE_RATE,
    count_parameters,
)
from compare.lockstep import Divergence
from compare.networks.plan import Plan
from compare.schema import converted
from compare.verdict import BY_AUTODIFF, BY_HAND
from compare.wording import InputError, shown

Text = Annotated[str, Meta(min_length=1)]
Epochs = Annotated[int, Meta(ge=0, le=MOST_EPOCHS)]

_BOTH = (BY_HAND, BY_AUTODIFF)
_ABOUT_DIVERGENCES = {
    "quantity": ("shape", "gradient", "moment", "update", "loss"),
    "along": _BOTH,
    "off": (*_BOTH, "both"),
}


@dataclass(frozen=True)
class Source:
    """The source of the data, and their description."""

    name: Text  #: a built-in data set, or the path of a file
    features: tuple[Text, ...]
    target: Text
    classes: tuple[Text, ...] | None
    kind: Literal["classes", "number"]
    fingerprint: Text


@dataclass(frozen=True)
class Header:
    """Everything of a model except its arrays."""

    plan: Plan
    source: Source
    test_fraction: Annotated[float, Meta(gt=0, le=LARGEST_TEST_FRACTION)]
    epochs: Epochs  #: the number requested
    by: tuple[str, ...]
    done: Epochs
    first_divergence: Divergence | None
    max_drift_ulps: Annotated[float, Meta(ge=0)]


def header_from(value: Any) -> Header:
    """Build a header from a file's JSON, the inverse of `asdict`.

    Raises:
        InputError: no training can have written it; names the key and its value.
    """
    header = converted(value, Header, "header")
    if found := _unlike(value, asdict(header), "header") or _contradiction(header):
        raise InputError(found)
    return header


def _unlike(read: Any, written: Any, where: str) -> str | None:
    """Find where the header differs from what would be written back."""
    if isinstance(read, dict) and isinstance(written, dict):
        if odd := read.keys() ^ written.keys():
            return f"{where}: {shown(repr(min(odd)))} is missing or unknown"
        found = (_unlike(read[key], written[key], f"{where}.{key}") for key in read)
        return next(filter(None, found), None)
    same = json.dumps(read) == json.dumps(written)
    return None if same else f"{where} is {shown(json.dumps(read))}"


def _contradiction(header: Header) -> str | None:
    """Find a contradiction between values that are each within their limits."""
    source, plan, found = header.source, header.plan, header.first_divergence
    features, classes, network = source.features, source.classes, plan.network
    n_in, *_, outputs = network.sizes
    allowed = {1} if classes is None else {len(classes)} | ({1} if len(classes) == 2 else set())
    rate = plan.learning_rate
    single = SMALLEST_SINGLE_RATE < rate < LARGEST_SINGLE_RATE
    for what, fits in (
        (f"by is {list(header.by)}", header.by in (_BOTH, _BOTH[:1], _BOTH[1:])),
        (f"sizes is {list(network.sizes)}", count_parameters(network.sizes) <= MOST_PARAMETERS),
        (f"l2 is {network.l2:g}", network.l2 <= LARGEST_L2),
        (f"epochs {header.epochs}, of which {header.done} are done", header.done <= header.epochs),
        (f"kind {source.kind}", (source.kind == "number") == (classes is None)),
        (f"{outputs} outputs", outputs in allowed),
        (f"features is {list(features)}", len(set(features)) == len(features)),
        (f"classes is {list(classes or ())}", len(set(classes or ())) == len(classes or ())),
        (f"{len(features)} features for {n_in} inputs", len(features) == n_in),
        (f"learning_rate {rate:g} in float32", single or plan.dtype != "float32"),
        *(
            (f"first_divergence.{name} is {value!r}", value in (None, *allowed))
            for name, allowed in _ABOUT_DIVERGENCES.items()
            for value in [getattr(found, name, None)]
        ),
        ("a divergence of one side", found is None or header.by == _BOTH),
    ):
        if not fits:
            return shown(what, 90)
    return None
