"""Types of parameters, and what more than one command line takes.

Numbers, and what `handgrad` has as well, are in `handgrad.commands.options`.
"""

import difflib
import os
import re
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from compare.limits import MOST_PARAMETERS, count_parameters
from compare.wording import install, near_miss, quoted, refused
from handgrad.commands.options import Number, option


class Name(click.ParamType):
    """One of a few names, in upper or lower case; the error message suggests the nearest.

    Args:
        names: The names, in the order in which `--help` lists them.
        table: Returns a table that has them instead, which is loaded when the names are needed.

    """

    name = "name"

    def __init__(self, *names: str, table: Callable[[], Iterable[str]] = tuple):
        self._names, self._table = names, table

    @property
    def names(self) -> tuple[str, ...]:
        """The names."""
        return self._names or tuple(self._table())

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        """Return the name as the table has it."""
        names = {name.lower(): name for name in self.names}
        if (lower := str(value).lower()) not in names:
            near = difflib.get_close_matches(lower, self.names, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            self.fail(f"{value!r}; expected one of {', '.join(self.names)}.{hint}", param, ctx)
        return names[lower]

    def get_metavar(self, param: Any, ctx: Any) -> str:  # noqa: ARG002 (click's signature)
        """Return how `--help` shows the type."""
        return "|".join(self.names)


class OutFile(click.ParamType):
    """A file that can be written; checked before anything is computed.

    Args:
        suffixes: the allowed endings of the name.
        needs: a package needed for writing it, and the dependency group that installs it.
    """

    name = "file"

    def __init__(self, *suffixes: str, needs: tuple[str, str] | None = None):
        self.suffixes, self.needs = suffixes, needs

    def convert(self, value: Any, param: Any, ctx: Any) -> Path:
        """Return the path, after checking that it can be written to."""
        from compare.files import unwritable

        path = Path(value)
        if self.needs and find_spec(self.needs[0]) is None:
            package, group = self.needs
            self.fail(f"{package} is not installed; expected {install(group)}", param, ctx)
        if path.suffix.lower() not in self.suffixes:
            ends = " or ".join(self.suffixes)
            self.fail(f"'{value}'; expected a file that ends in {ends}.", param, ctx)
        if reason := unwritable(path):
            self.fail(f"'{path}': {reason}; expected a file that can be written.", param, ctx)
        return path

    def get_metavar(self, param: Any, ctx: Any) -> str | None:  # noqa: ARG002 (click's signature)
        """Return how `--help` shows the type."""
        return "|".join(f"FILE{suffix}" for suffix in self.suffixes)


def sizes(text: str) -> tuple[int, ...]:
    """Parse numbers of units, layer by layer: 2-8-1."""
    if not re.fullmatch("[0-9]{1,9}(-[0-9]{1,9})+", text) or 0 in map(int, text.split("-")):
        raise click.BadParameter(f"{quoted(text)}; expected numbers of units such as 2-8-1.")
    units = tuple(map(int, text.split("-")))
    if count_parameters(units) > MOST_PARAMETERS:
        raise click.BadParameter(f"{text!r}; expected at most {MOST_PARAMETERS} parameters.")
    return units


def numbers(text: str) -> tuple[float, ...]:
    """Parse finite numbers separated by commas: 1,-2.5."""
    number = Number("finite numbers with commas between them, such as 1,-2.5")
    return tuple(number.convert(part.strip(), None, None) for part in text.split(","))


class Slug(click.ParamType):
    """A planted mistake, in upper or lower case: as an argument any, as an option a gradient's."""

    name = "slug"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:  # noqa: ARG002 (click's signature)
        """Return the slug.

        Raises:
            InputError: there is no such mistake.
        """
        from models.planted import MISTAKES, PLANTS

        is_argument, slug = isinstance(param, click.Argument), value.lower()
        where, among = ("SLUG", MISTAKES) if is_argument else (param.opts[0], PLANTS)
        if slug in among:
            return slug
        if slug in MISTAKES:
            found = "a mistake of the training loop, around a right gradient"
            raise refused(f"{where} {slug}", found, "one of a gradient")
        found = f"{quoted(value)}, no such mistake{near_miss(slug, among)}"
        raise refused(where, found, "one of those that `python -m compare break` lists")


class File(click.Path):
    """A path; not an empty one, which `pathlib` takes for the current folder."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return the path."""
        if value == "":
            self.fail("''; expected a path.", param, ctx)
        return super().convert(value, param, ctx)


FILE = File(path_type=Path)
OVERWRITE = option("--overwrite", is_flag=True, help="Replace the file of --out if there is one.")


def refuse_what_is_there(out: Path | None, overwrite: bool) -> None:
    """Raise UsageError where the file of --out would be replaced, and nobody has asked for it."""
    if out is not None and os.path.lexists(out) and not overwrite:
        raise click.UsageError(
            f"'{out}' is there already; expected a new file for --out, or --overwrite."
        )


def file_option(name: str, about: str, *parameter: str, **settings: Any) -> Callable:
    """Define an option that takes a file; its parameter may have another name."""
    return option(name, *parameter, **{"type": FILE, "metavar": "FILE", "help": about} | settings)
