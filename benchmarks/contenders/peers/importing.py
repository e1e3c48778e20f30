"""Import libraries that may not be installed."""

import importlib
from typing import Any

from benchmarks.ready import Unavailable, error_line
from compare.wording import install

#: How to install them all.
HINT = f"not installed: {install('peers')}"


def module(name: str) -> Any:
    """Import a module by its full name."""
    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:
        absent = isinstance(error, ModuleNotFoundError) and error.name == name.partition(".")[0]
        raise Unavailable(HINT if absent else f"cannot be imported: {error_line(error)}") from error
