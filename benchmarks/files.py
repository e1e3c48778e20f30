"""JSON files of results: written as a whole, and validated when read."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
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
    """What tables say of the machine; a fingerprint may have more."""

    date: str
    revision: str
    machine: str
    system: str
    processor: str
    processors: int
    versions: dict[str, str]


@dataclass
class Stored:
    """Results that are stored in a file: metadata, and a list that grows."""

    WHAT: ClassVar[str]  #: the name of the results in messages
    COMMAND: ClassVar[str]  #: what writes them
    SCHEMA: ClassVar[int]  #: raised when the meaning of a field changes
    PART: ClassVar[str]  #: the field that grows
    ABOUT: ClassVar[Mapping[str, Any]]  #: what readers need of the fields that are mappings

    fingerprint: dict[str, Any]  #: what the results depend on: machine and versions

    def as_json(self) -> str:
        """Format as one JSON object, one line per entry."""
        head = {f.name: getattr(self, f.name) for f in fields(self) if f.name != self.PART}
        about = json.dumps({"schema": self.SCHEMA} | head, ensure_ascii=False, indent=1)[:-2]
        entries = (asdict(found) for found in getattr(self, self.PART))
        lines = ",\n".join(f"  {json.dumps(entry, ensure_ascii=False)}" for entry in entries)
        return f'{about},\n "{self.PART}": [\n{lines}\n ]\n}}\n'

    @classmethod
    def read(cls, found: Any, where: str) -> Self:
        """Read the results from JSON that is parsed.

        Raises:
            InputError: it is of other results, or of another schema; says where.
        """
        got = found.get("schema") if isinstance(found, dict) else type(found).__name__
        if got != cls.SCHEMA:
            wanted = f"{cls.WHAT} of schema {cls.SCHEMA}"
            raise InputError(f"{where}: got schema {shown(repr(got))}, expected {wanted}")
        # The list may be empty, but a file must contain it.
        read = converted({cls.PART: None} | found, cls, where)
        for name, kind in cls.ABOUT.items():
            converted(found[name], kind, f"{where}: {name}")
        return read

    def contradiction(self) -> str | None:
        """Return what is wrong between values that are right each by itself, or None."""
        return None

    @staticmethod
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

    def save(self, path: Path) -> None:
        """Write the file in one step: a reader sees the old file or the new one, whole.

        Raises:
            InputError: it cannot be written.
        """

        def write(part: Path) -> None:
            part.write_text(self.as_json(), encoding="utf-8")

        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, write)
        except OSError as error:
            raise InputError(f"{path}: cannot be written: {error.strerror}") from error

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file of results.

        Raises:
            InputError: it cannot be read, or it is no file of these results.
        """
        where = shown(str(path), LONGEST_PATH)
        expected = f"expected a JSON file with {cls.WHAT}, as `{cls.COMMAND} --out` writes it"
        try:
            with path.open("rb") as file:
                content = file.read(LONGEST + 1)
            found = msgspec.json.decode(content[:LONGEST])
        except OSError as error:
            raise InputError(f"{where}: {error.strerror or error}; {expected}") from error
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise InputError(f"{where}: no JSON: {error}; {expected}") from error
        read = cls.read(found, where)
        if why := read.contradiction():
            raise InputError(f"{where}: these are no {cls.WHAT}: {why}")
        return read


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
