"""What others wrote, as a message can quote it: on one line, short, harmless to a terminal."""

import difflib
import os
from collections.abc import Collection

LONGEST_PATH = 4096  # signs; no system takes longer ones
MOST_LISTED = 12  # names in one message


class InputError(ValueError):
    """Input that cannot be used: one line that says where, what was found, what was expected."""


def shown(text: str, longest: int = 60) -> str:
    """Text for a message, which is one line and does nothing to a terminal: quoted if it must be.

    Of a text that is longer than `longest` signs, the beginning.
    """
    short = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return short if short and short.isprintable() else repr(short)


def quoted(cell: str) -> str:
    """A cell for a message: in quotes, without the space around it, of a long one the beginning."""
    cell = cell.strip()
    return repr(cell if len(cell) <= 60 else f"{cell[:59]}…")


def listed(names: Collection[str]) -> str:
    """Names for a message: all of them, or the first and how many there are."""
    first = ", ".join(shown(name) for name in list(names)[:MOST_LISTED])
    return first if len(names) <= MOST_LISTED else f"{first}, … ({len(names)} in all)"


def near_miss(text: str, names: Collection[str]) -> str:
    """A hint at the name that was perhaps meant, or nothing."""
    near = difflib.get_close_matches(text, names, n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def no_such_file(text: str, names: Collection[str]) -> str | None:
    """What to say if `text` is not the path of a file, and was perhaps meant to be a known name."""
    try:
        os.stat(text)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # the last of a NUL in the path
        return (
            f"{shown(text, LONGEST_PATH)}: no such file{near_miss(text, names)}; "
            f"expected a CSV file or one of {', '.join(names)}"
        )
    except OSError:
        pass  # whoever reads the file says what stands in the way
    return None
