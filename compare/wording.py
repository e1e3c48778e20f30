"""Quote user input in messages: on one line, short, and safe for a terminal."""

import difflib
import os
import sys
from collections.abc import Collection
from traceback import walk_tb

#: The names of the two sides in results and files, and in messages.
BY_HAND, BY_AUTODIFF = "by_hand", "autodiff"
SIDE_LABELS = {BY_HAND: "by hand", BY_AUTODIFF: "by autodiff"}

LONGEST_PATH = 4096  # characters; no system takes longer ones
MOST_LISTED = 12  # names in one message


class InputError(ValueError):
    """Unusable input; one line says where, what was found, and what was expected."""


class Disagreement(Exception):  # noqa: N818 (it is what the program is there to find)
    """What the two sides disagree on, where there is nothing else to report."""


def refused(where: str, found: str, expected: str) -> InputError:
    """Return the error that says so."""
    return InputError(f"{where}: {found}; expected {expected}")


def shown(text: str, longest: int = 60, quotes: bool = False) -> str:
    """Return text for a message, quoted if it has unprintable characters, or if asked to.

    A text longer than `longest` characters is cut off.
    """
    short = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return short if short and short.isprintable() and not quotes else repr(short)


def escaped(text: str) -> str:
    """Return text for a message, what cannot be printed escaped; for text that quotes some."""
    return text if text.isprintable() else repr(text)[1:-1]


def quoted(cell: str) -> str:
    """Return a cell for a message: in quotes, cut off if it is long."""
    return shown(cell.strip(), quotes=True)


def install(group: str) -> str:
    """Return how to install one of pyproject.toml's dependency groups, in the checkout."""
    return f".venv/bin/python -m pip install --group {group}"


def unavailable(error: Exception) -> str | None:
    """Return the line for a package that cannot be imported, or if JAX has no device."""
    says = escaped(str(error).split("\n")[0])
    if isinstance(error, ModuleNotFoundError):
        what = f"the package {error.name!r} is not installed"
        if error.name == "sympy":  # the one package that `make install` leaves out
            return f"{what}; expected {install('prove')}"
    elif isinstance(error, ImportError):
        *_, (frame, _) = walk_tb(error.__traceback__)
        package, _, _ = str(frame.f_globals.get("__name__")).partition(".")
        what = f"the package {package!r} cannot be imported: {says}"
    else:
        try:
            if jax := sys.modules.get("jax"):
                jax.devices()
        except Exception as failure:  # an AssertionError without a word, among others
            named = os.environ.get("JAX_PLATFORMS", "")
            says = escaped(str(failure).split("\n")[0]) or "no device can be used"
            return f"JAX, with JAX_PLATFORMS={named!r}: {says}; expected a device that is there"
        return None
    return f"{what}; expected the environment that `make install` sets up, .venv/bin/python"


def listed(names: Collection[str]) -> str:
    """Return names for a message: all of them, or the first ones and the number of all."""
    first = ", ".join(shown(name) for name in list(names)[:MOST_LISTED])
    return first if len(names) <= MOST_LISTED else f"{first}, … ({len(names)} in all)"


def near_miss(text: str, names: Collection[str]) -> str:
    """Return a hint at the name that was probably meant, or an empty text."""
    near = difflib.get_close_matches(text, names, n=1)
    return f" (did you mean {quoted(near[0])}?)" if near else ""
