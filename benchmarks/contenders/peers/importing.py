"""Libraries that may not be installed."""

import importlib
from typing import Any

from benchmarks.contenders.ready import Unavailable

#: How to have them all.
HINT = "not installed; pip install 'handgrad[peers]'"


def module(name: str) -> Any:
    """A module by its full name, imported when it is wanted.

    Raises:
        Unavailable: its library is not installed, or cannot be imported.
    """
    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:
        absent = isinstance(error, ModuleNotFoundError) and error.name == name.partition(".")[0]
        raise Unavailable(HINT if absent else f"cannot be imported: {told(error)}") from error


def told(error: Exception) -> str:
    """An error's class and the first line of what it says."""
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}".rstrip(": ")
