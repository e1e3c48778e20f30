"""Find the derivatives of a file, a package or a `pyproject.toml`, with functions and examples.

Modules are imported, and names are looked up in them; no text of a file is run.
"""

import tomllib
from pathlib import Path
from typing import Any

from handgrad.commands.by_name import of_source
from handgrad.commands.kinds import FORMS, FUNCTIONS
from handgrad.commands.loading import Loader, Location, parse
from handgrad.commands.pairs import Discovered, Pair
from handgrad.commands.targets import BadInput, as_bad_input, function_at
from handgrad.marks import OPTIONS

#: What `[tool.handgrad]` may hold.
_KEYS = ("search", "pairs")

#: What a pair may hold besides options. Its kind is the key of the derivative.
_OF_PAIR = ("name", *OPTIONS, "loss", "fun", "like")


def discover(source: str, loader: Loader) -> Discovered:
    """Find all there is to judge.

    Args:
        source: FILE.py, package.module, FILE.toml, or FILE.py:NAME, a dict or list of checks as
            `handgrad.audit` takes them, or a function that returns it.
        loader: imports them.

    Raises:
        LoadingError: there is no such file or module, or importing it failed.
        BadInput: it is of another form.
    """
    found = Discovered({}, [])
    if source.lower().endswith(".toml"):
        _of_toml(source, loader, found)
    elif ":" in source and not Path(source).exists():
        found.checks.update(_named(parse(source, "CHECKS"), loader))
    else:
        of_source(source, loader, found)
    return found


def _named(location: Location, loader: Loader) -> dict[str, Any]:
    """Return the checks that an object in Python holds, or a function returns."""
    from handgrad.auditing import named

    checks = loader.load(location)
    if callable(checks):
        with as_bad_input(loader, {f"{location}": checks}):
            checks = checks()
    return named(checks, str(location))


def _of_toml(source: str, loader: Loader, found: Discovered) -> None:
    """Add the pairs that `[tool.handgrad]` lists, and those of what it says to search."""
    table = _table(source)
    folder = Path(source).parent
    for name in _texts(source, "search", table.get("search", [])):
        of_source(_from(folder, name), loader, found)
    places: dict[str, str] = {}
    for k, pair in enumerate(_list(source, "pairs", table.get("pairs", []))):
        where = f"{source}: tool.handgrad.pairs[{k}]"
        listed = _listed(where, pair, folder, loader)
        if other := places.get(listed.name):
            raise BadInput(f"{where} is {listed.name!r}, as {other} is; expected a `name` in one")
        places[listed.name], found.checks[listed.name] = f"pairs[{k}]", listed


def _table(source: str) -> dict[str, Any]:
    try:
        with Path(source).open("rb") as file:
            table = tomllib.load(file).get("tool", {}).get("handgrad")
    except FileNotFoundError:
        raise BadInput(f"no such file: {source}; expected a pyproject.toml") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{source} is not valid TOML: {error}") from None
    if not isinstance(table, dict):
        raise BadInput(f"{source} has no table tool.handgrad; expected one with {_either(_KEYS)}")
    _known(f"{source}: tool.handgrad", table, _KEYS)
    return table


def _listed(where: str, pair: Any, folder: Path, loader: Loader) -> Pair:
    if not isinstance(pair, dict):
        raise BadInput(f"{where} is {pair!r}; expected a table with {_either(_OF_PAIR)}")
    pair = {key.replace("-", "_"): value for key, value in pair.items()}
    kind, of = _one_of(where, pair, tuple(OPTIONS)), _one_of(where, pair, ("loss", "fun"))
    _known(where, pair, ("name", kind, of, "like", *OPTIONS[kind]))
    for key in (kind, of, "like"):
        if not isinstance(text := pair.get(key), str):
            raise BadInput(f"{where} has {key} = {text!r}; expected a text, FILE.py:NAME or NAME")
    for key in ("has_value", "strict"):
        if not isinstance(flag := pair.get(key, False), bool):
            raise BadInput(f"{where} has {key} = {flag!r}; expected true or false")
    derivative = parse(_from(folder, pair[kind]), kind)
    function, like = (
        parse(_from(folder, pair[key]) if ":" in pair[key] else pair[key], key, derivative.source)
        for key in (of, "like")
    )
    title = str(pair.get("name", derivative))
    options = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in pair.items()
        if key in OPTIONS[kind]
    }
    return Pair(
        title,
        function_at(loader, derivative, FORMS[kind]),
        function_at(loader, function, FUNCTIONS[kind]),
        loader.load(like),
        str(like),
        (str(derivative), str(function), str(like)),
        options,
        kind,
    )


def _one_of(where: str, table: dict[str, Any], keys: tuple[str, ...]) -> str:
    """Return which of some keys a table has."""
    found = [key for key in keys if key in table]
    if len(found) > 1:
        raise BadInput(f"{where} has {' and '.join(found)}; expected one of them")
    if not found:
        _known(where, table, (*_OF_PAIR, *OPTIONS["gradient"]))
        raise BadInput(f"{where} has no key {_either(keys)}; expected one of them")
    return found[0]


def _from(folder: Path, text: str) -> str:
    """Return the place of an object with a file's path from here, not from another folder."""
    source, colon, name = text.rpartition(":") if ":" in text else (text, "", "")
    is_file = source.lower().endswith(".py")
    return f"{folder / source if is_file else source}{colon}{name}"


def _known(where: str, table: dict[str, Any], keys: tuple[str, ...]) -> None:
    for key in table:
        if key not in keys:
            raise BadInput(f"{where} has the key {key!r}; expected {_either(keys)}")


def _list(source: str, key: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise BadInput(f"{source}: tool.handgrad.{key} is {value!r}; expected a list")
    return value


def _texts(source: str, key: str, value: Any) -> list[str]:
    for one in _list(source, key, value):
        if not isinstance(one, str):
            raise BadInput(f"{source}: tool.handgrad.{key} has {one!r}; expected a text")
    return value


def _either(keys: tuple[str, ...]) -> str:
    return f"{', '.join(keys[:-1])} or {keys[-1]}"
