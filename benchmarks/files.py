"""JSON files of results: written as a whole, and validated when read."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Self, TypedDict

from compare.files import unwritable, write_whole
from compare.schema import converted, read_json
from compare.wording import LONGEST_PATH, InputError, shown

#: The folder of the results that documents show.
STORED_RESULTS = Path(__file__).parent / "results"


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

    fingerprint: Mapping[str, Any]  #: what the results depend on: machine and versions

    def as_json(self) -> str:
        """Format as one JSON object, one line per entry."""
        head = {f.name: getattr(self, f.name) for f in fields(self) if f.name != self.PART}
        about = json.dumps({"schema": self.SCHEMA} | head, ensure_ascii=False, indent=1)[:-2]
        lines = ",\n".join(f"  {self.entry(found)}" for found in getattr(self, self.PART))
        return f'{about},\n "{self.PART}": [\n{lines}\n ]\n}}\n'

    def entry(self, found: Any) -> str:
        """Format an entry of the list as JSON."""
        return json.dumps(asdict(found), ensure_ascii=False)

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

    def contradiction(self) -> str | None:
        """Return what is wrong between values that are right each by itself, or None."""
        return None

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file of results.

        Raises:
            InputError: it cannot be read, or it is no file of these results, or of another
                schema.
        """
        where = shown(str(path), LONGEST_PATH)
        found = read_json(path, f"a JSON file with {cls.WHAT}, as `{cls.COMMAND} --out` writes it")
        got = found.get("schema") if isinstance(found, dict) else type(found).__name__
        if got != cls.SCHEMA:
            wanted = f"{cls.WHAT} of schema {cls.SCHEMA}"
            raise InputError(f"{where}: got schema {shown(repr(got))}, expected {wanted}")
        # The list may be empty, but a file must contain it.
        read = converted({cls.PART: None} | found, cls, where)
        for name, kind in cls.ABOUT.items():
            converted(found[name], kind, f"{where}: {name}")
        if why := read.contradiction():
            raise InputError(f"{where}: these are no {cls.WHAT}: {why}")
        return read
