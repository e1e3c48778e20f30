"""What others wrote into JSON, held against types: a value as it is, or one line that says why not.

Types are dataclasses, named tuples and msgspec's own; `Annotated[int, Meta(ge=1)]` says more.
"""

import json
import re
from typing import Any, TypeVar

import msgspec

from compare.wording import InputError, shown

Kind = TypeVar("Kind")


def converted(value: Any, kind: type[Kind], where: str, otherwise: str = "") -> Kind:
    """What JSON holds, as a `kind`: strictly, so that nothing but a whole number becomes a float.

    Args:
        value: what JSON holds.
        kind: the type of all of it.
        where: it stands, for an error.
        otherwise: how an error about the whole ends.

    Raises:
        InputError: which part of it is what, and what was expected.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `$")
        place = place.rstrip("`").removeprefix(".")
        reason = f"{reason[0].lower()}{reason[1:]}{'' if place else otherwise}"
        for part in re.findall(r"\w+", place):
            value = value[int(part) if isinstance(value, list) else part]
        found = f"{where}: {place}" if place else where
        found += ": " if isinstance(value, dict) else f" is {shown(json.dumps(value))}; "
        raise InputError(f"{found}{reason}") from error
