"""Refuse a file of another kind than expected: say what it is, and what to do instead."""

from pathlib import Path
from typing import NamedTuple

from compare.wording import LONGEST_PATH, InputError, shown
from handgrad.commands import file_kinds


class Kind(NamedTuple):
    """A kind of file that our commands write or read."""

    name: str
    keys: tuple[str, ...]  #: that only it has: of an object, or of an archive's members
    source: str = ""  #: follows the name where it is expected
    use: str = ""  #: follows "for" where something else is expected


MODEL, PARAMETERS = "a file that train has written", "a JSON file with parameters"
CSV = "a CSV file"

_TEACHING = (", as docs/teaching.md shows", "--params")
_TIMINGS = (
    ", as `python -m benchmarks --out` writes it",
    "table, compare and plot of `python -m benchmarks`",
)

OWN = (
    Kind(MODEL, ("header.npy",), " with --out", "resume and --model"),
    Kind(PARAMETERS, ("layers",), *_TEACHING),
    Kind(PARAMETERS, ("w1", "w6", "b3"), *_TEACHING),
    Kind("a JSON file with timings", ("schema", "fingerprint", "cells"), *_TIMINGS),
    Kind(
        "a JSON file with times of checks",
        ("schema", "fingerprint", "predicted", "rows"),
        ", as `python -m benchmarks check-times --out` writes it",
        "`python -m benchmarks check-times --table`",
    ),
    Kind(
        "a JSON file with answers of checkers",
        ("schema", "fingerprint", "checks"),
        ", as `python -m benchmarks checkers --out` writes it",
        "`python -m benchmarks checkers --table`",
    ),
    Kind("what `handgrad check --json` prints", ("verdict", "findings", "leaves")),
    Kind("what `compare step --json` prints", ("about", "steps", "quantities")),
    Kind("what `compare explain --json` prints", ("about", "quantity", "chain")),
    Kind("what `compare run --json` prints", ("partials", "training", "predictions")),
    Kind("what `compare train --json` prints", ("data", "by", "training", "model")),
    Kind("what `compare predict --json` prints", ("by_hand", "autodiff", "label")),
    Kind("what `compare predict --json` prints", ("target", "rows", "warnings")),
    Kind("what `compare sweep --json` prints", ("cases", "histogram", "suspects")),
    Kind("what `compare replay --json` prints", ("case", "ruling", "trace")),
    Kind("what `compare prove --json` prints", ("of", "partials", "also")),
    Kind("what `compare regress --json` prints", ("coefficients", "r_squared")),
    Kind("what `compare break --json` prints", ("slug", "says", "checks")),
)

#: Kinds of which the reader's own message says more: where in the file something is wrong.
VAGUE = (None, file_kinds.JSON, file_kinds.TEXT, file_kinds.DAMAGED)


def expect(path: Path, expected: str, *allowed: str) -> None:
    """Refuse a file that is clearly of another kind; whether it can be read is not looked at.

    Args:
        path: the file.
        expected: what it should be, for the error message: a name of `OWN`, or another.
        *allowed: kinds that it may be as well.

    Raises:
        InputError: it is of another kind.
    """
    found = file_kinds.kind_of(path, [(kind.name, kind.keys) for kind in OWN])
    if found in (*VAGUE, expected, *allowed):
        return
    use = next((f", for {kind.use}" for kind in OWN if kind.name == found and kind.use), "")
    source = next((kind.source for kind in OWN if kind.name == expected), "")
    where = shown(str(path), LONGEST_PATH)
    raise InputError(f"{where}: {found}{use}; expected {expected}{source}")
