"""Find the derivatives of a file or a package, or the checks that a file names.

Modules are imported, and names are looked up in them; no text of a file is run.
"""

from pathlib import Path
from typing import Any

from handgrad.commands.by_name import of_source
from handgrad.commands.loading import Loader, Location, parse
from handgrad.commands.pairs import Discovered
from handgrad.commands.targets import as_bad_input


def discover(source: str, loader: Loader) -> Discovered:
    """Find all there is to judge.

    Args:
        source: FILE.py, package.module, or FILE.py:NAME, a dict or list of checks as
            `handgrad.audit` takes them, or a function that returns it.
        loader: imports them.

    Raises:
        LoadingError: there is no such file or module, or importing it failed.
        BadInput: it is of another form.
    """
    found = Discovered({}, [])
    if ":" in source and not Path(source).exists():
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
