"""JSON files of results: written as a whole, and validated when read."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Self

import msgspec

from compare.files import write_whole


class BadResultsError(ValueError):
    """A file of results that cannot be read or written; the message is one line."""


@dataclass
class Stored:
    """Results that are stored in a file: metadata, and a list that grows."""

    WHAT: ClassVar[str]  #: the name of the results in messages
    SCHEMA: ClassVar[int]  #: raised when the meaning of a field changes
    PART: ClassVar[str]  #: the field that grows

    def as_json(self) -> str:
        """Format as one JSON object, one line per entry."""
        head = {f.name: getattr(self, f.name) for f in fields(self) if f.name != self.PART}
        about = json.dumps({"schema": self.SCHEMA} | head, ensure_ascii=False, indent=1)[:-2]
        lines = ",\n".join(f"  {self.entry(found)}" for found in getattr(self, self.PART))
        return f'{about},\n "{self.PART}": [\n{lines}\n ]\n}}\n'

    def entry(self, found: Any) -> str:
        """Format an entry of the list as JSON."""
        return json.dumps(asdict(found), ensure_ascii=False)

    def save(self, path: Path) -> None:
        """Write the file in one step: a reader sees the old file or the new one, whole.

        Raises:
            BadResultsError: it cannot be written.
        """

        def write(part: Path) -> None:
            part.write_text(self.as_json(), encoding="utf-8")

        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, write)
        except OSError as error:
            raise BadResultsError(f"{path}: cannot be written: {error.strerror}") from error

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file of results.

        Raises:
            BadResultsError: it cannot be read, or it is no file of these results, or of another
                schema.
        """
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            got = found.get("schema") if isinstance(found, dict) else type(found).__name__
            if got != cls.SCHEMA:
                wanted = f"{cls.WHAT} of schema {cls.SCHEMA}"
                raise BadResultsError(f"{path}: got schema {got!r}, expected {wanted}")
            # The list may be empty, but a file must contain it.
            return msgspec.convert({cls.PART: None} | found, cls)
        except OSError as error:
            raise BadResultsError(f"{path}: {error.strerror}") from error
        except msgspec.ValidationError as error:
            raise BadResultsError(f"{path}: these are no {cls.WHAT}: {error}") from error
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise BadResultsError(f"{path}: no JSON: {error}") from error
