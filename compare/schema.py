"""Validate JSON against types: return the value, or raise an error of one line.

Types are dataclasses, named tuples and msgspec's; `Annotated[int, Meta(ge=1)]` adds constraints.
"""

import json
import re
from typing import Any, TypeVar

import msgspec

from compare.wording import InputError, escaped, shown

Kind = TypeVar("Kind")


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
    except UnicodeEncodeError as error:
        found = f"{where} has {shown(error.object)}"
        raise InputError(f"{found}, half of a character; expected whole ones") from error
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `$")
        place = place.rstrip("`").removeprefix(".")
        reason = f"{reason[0].lower()}{reason[1:]}{'' if place else otherwise}"
        for part in re.findall(r"\w+", place):
            value = value[int(part) if isinstance(value, list) else part]
        found = f"{where}: {place}" if place else where
        found += ": " if isinstance(value, dict) else f" is {shown(json.dumps(value))}; "
        raise InputError(f"{found}{escaped(reason)}") from error
