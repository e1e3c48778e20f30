"""Read JSON that others wrote, and validate it against types; errors are of one line.

Types are dataclasses, named tuples and msgspec's; `Annotated[int, Meta(ge=1)]` adds constraints.
"""

import json
import re
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from compare.wording import LONGEST_PATH, InputError, escaped, shown

Kind = TypeVar("Kind")

#: Bytes, far above any real file of ours.
LONGEST = 2**26


def read_json(path: Path, expected: str, longest: int = LONGEST) -> Any:
    """Read a JSON file of at most `longest` bytes.

    Args:
        path: the file.
        expected: what it should be, for the error message.
        longest: the limit.

    Raises:
        InputError: see `parsed`, and if the file cannot be read.
    """
    where = shown(str(path), LONGEST_PATH)
    try:
        with path.open("rb") as file:
            content = file.read(longest + 1)
    except OSError as error:
        raise InputError(f"{where}: {error.strerror or error}; expected {expected}") from error
    if len(content) > longest:
        raise InputError(f"{where}: more than {longest} bytes; expected {expected}")
    return parsed(content, where, expected)


def parsed(content: bytes, where: str, expected: str) -> Any:
    """Parse JSON in UTF-8, in which every key stands once and every character is whole.

    Raises:
        InputError: it is no such JSON; says where.
    """
    try:
        found = json.loads(content.decode(), object_pairs_hook=partial(_once, where))
        json.dumps(found, ensure_ascii=False).encode()
    except InputError:
        raise
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise InputError(f"{where}, {place}: {error.msg}; expected {expected}") from error
    except UnicodeEncodeError as error:
        half = shown(error.object[error.start : error.end])
        raise InputError(f"{where} has {half}, half of a character; expected whole ones") from error
    except (ValueError, RecursionError) as error:  # not UTF-8, a huge number, or deep nesting
        raise InputError(f"{where}: no JSON; expected {expected}") from error
    return found


def _once(where: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object, refusing a key that occurs twice."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise InputError(f"{where}: {shown(name)} twice; expected it once")
        found[name] = value
    return found


def converted(value: Any, kind: type[Kind], where: str, otherwise: str = "") -> Kind:
    """Convert JSON to a type, strictly: the only conversion is from integers to floats.

    Args:
        value: the parsed JSON.
        kind: the type.
        where: its location, for the error message.
        otherwise: the end of an error message about the whole value.

    Raises:
        InputError: names the invalid part and what was expected.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `$")
        place = place.rstrip("`").removeprefix(".")
        reason = f"{reason[0].lower()}{reason[1:]}{'' if place else otherwise}"
        # A key of a mapping of any keys is not named: it is `[...]`.
        for part in re.findall(r"\w+", place.partition("[...]")[0]):
            value = value[int(part) if isinstance(value, list) else part]
        found = f"{where}: {place}" if place else where
        found += ": " if isinstance(value, dict) else f" is {shown(json.dumps(value))}; "
        raise InputError(f"{found}{escaped(reason)}") from error
