"""JSON files of results: written as a whole, and validated when read."""

import json
import re
from pathlib import Path
from typing import Any, ClassVar, Self, TypedDict, TypeVar

import msgspec

from compare.files import unwritable, write_whole
from compare.wording import LONGEST_PATH, InputError, escaped, shown

#: The folder of the results that documents show.
STORED_RESULTS = Path(__file__).parent / "results"

#: Bytes, far above any real file of ours.
LONGEST = 2**26

Kind = TypeVar("Kind")


class Described(TypedDict):
    """What tables say of the machine; a fingerprint of timings has more."""

    date: str
    revision: str
    machine: str
    system: str
    processor: str
    processors: int
    versions: dict[str, str]


class Stored:
    """Results that are stored in a file."""

    EXPECTED: ClassVar[str]  #: which file is read, for messages

    def as_json(self) -> str:
        """Format as JSON."""
        raise NotImplementedError

    @classmethod
    def read(cls, found: Any, where: str) -> Self:
        """Read the results from JSON that is parsed.

        Raises:
            InputError: it is not as `as_json` writes it; says where.
        """
        raise NotImplementedError

    def save(self, path: Path) -> None:
        """Write the file in one step: a reader sees the old file or the new one, whole.

        Raises:
            InputError: it cannot be written.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, lambda part: part.write_text(self.as_json(), encoding="utf-8"))
        except OSError as error:
            raise InputError(f"{path}: cannot be written: {error.strerror}") from error

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file of results.

        Raises:
            InputError: it cannot be read, or it is no file of these results.
        """
        where = shown(str(path), LONGEST_PATH)
        try:
            with path.open("rb") as file:
                found = msgspec.json.decode(file.read(LONGEST))
        except OSError as error:
            why = error.strerror or error
            raise InputError(f"{where}: {why}; expected {cls.EXPECTED}") from error
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise InputError(f"{where}: no JSON: {error}; expected {cls.EXPECTED}") from error
        return cls.read(found, where)


def expect_writable(path: Path) -> None:
    """Find out before a run whether its results can be stored; what is there stays.

    Raises:
        InputError: they cannot.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        why = unwritable(path)
    except OSError as error:
        why = error.strerror
    if why:
        raise InputError(f"{path}: cannot be written: {why}")


def converted(value: Any, kind: type[Kind], where: str) -> Kind:
    """Convert JSON to a type, strictly: the only conversion is from integers to floats.

    Args:
        value: the parsed JSON.
        kind: a dataclass, a typed dictionary, or another type that msgspec knows.
        where: its location, for the error message.

    Raises:
        InputError: names the invalid part and what was expected.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `$")
        place = place.rstrip("`").removeprefix(".")
        # A key of a mapping of any keys is not named: it is `[...]`.
        for part in re.findall(r"\w+", place.partition("[...]")[0]):
            value = value[int(part) if isinstance(value, list) else part]
        found = f"{where}: {place}" if place else where
        found += ": " if isinstance(value, dict) else f" is {shown(json.dumps(value))}; "
        raise InputError(f"{found}{escaped(reason[0].lower() + reason[1:])}") from error
