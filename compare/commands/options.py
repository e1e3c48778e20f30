"""Options shared by several commands, and their parameter types.

Numbers, and what `handgrad` has as well, are in `handgrad.commands.options`.
"""

import difflib
import os
from collections.abc import Callable, Iterable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from compare.limits import LARGEST_L2, LARGEST_SEED, MOST_EPOCHS, MOST_PARAMETERS, count_parameters
from compare.wording import install, quoted
from handgrad.commands.options import Number, option, seed_option, whole


def together(*options: Callable) -> Callable:
    """Combine several options into one decorator."""

    def decorated(command: Callable) -> Callable:
        for one in reversed(options):
            command = one(command)
        return command

    return decorated


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
        from importlib.util import find_spec

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


class Sizes(click.ParamType):
    """Numbers of units, layer by layer: 2-8-1."""

    name = "2-8-1"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, ...]:
        """Parse the sizes."""
        parts = str(value).split("-")
        if len(parts) < 2 or not all(_is_a_size(part) for part in parts):
            self.fail(f"{quoted(str(value))}; expected numbers of units such as 2-8-1.", param, ctx)
        sizes = tuple(map(int, parts))
        if count_parameters(sizes) > MOST_PARAMETERS:
            self.fail(f"{value!r}; expected at most {MOST_PARAMETERS} parameters.", param, ctx)
        return sizes


def _is_a_size(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0


class File(click.Path):
    """A path; not an empty one, which `pathlib` takes for the current folder."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return the path."""
        if value == "":
            self.fail("''; expected a path.", param, ctx)
        return super().convert(value, param, ctx)


SEED = whole(0, LARGEST_SEED)
FILE = File(path_type=Path)
LEARNING_RATE = Number("a finite number above 0", above=0)
L2 = Number(f"a number from 0 to {LARGEST_L2}", at_least=0, at_most=LARGEST_L2)
PLOT_FILE = OutFile(".svg", ".png", needs=("matplotlib", "plot"))
DTYPE = Name("float32", "float64")
ACTIVATION = Name(table=lambda: import_module("manual.activations").ACTIVATIONS)
LOSS = Name(table=lambda: import_module("manual.losses").LOSSES)

LOSS_PLOT = option("--plot", "plot_file", type=PLOT_FILE, help="Draw the loss curves to this file.")
OVERWRITE = option("--overwrite", is_flag=True, help="Replace the file of --out if there is one.")
PLANT = option(
    "--plant", metavar="SLUG", help="Plant a mistake, one of those that `compare break` lists."
)


def refuse_what_is_there(out: Path | None, overwrite: bool) -> None:
    """Raise UsageError where the file of --out would be replaced, and nobody has asked for it."""
    if out is not None and os.path.lexists(out) and not overwrite:
        raise click.UsageError(
            f"'{out}' is there already; expected a new file for --out, or --overwrite."
        )


def file_option(name: str, about: str, *parameter: str, **settings: Any) -> Callable:
    """Define an option that takes a file; its parameter may have another name."""
    return option(name, *parameter, **{"type": FILE, "metavar": "FILE", "help": about} | settings)


def network_option(otherwise: str | None = None, more: str = "", **settings: Any) -> Callable:
    """--network; its help has the default in words, and what else is to say."""
    about = f"Numbers of inputs, of the units of each hidden layer, and of outputs{more}."
    return option("--network", "sizes", type=Sizes(), help=about, otherwise=otherwise, **settings)


def kind_options(
    output: str = "sigmoid, or identity for losses on logits", loss: str = "mse"
) -> Callable:
    """The options of a network besides its sizes; None where not given.

    They are `compare.traced.kinds.KINDS`.

    Args:
        output: the default of --output, in words.
        loss: that of --loss.

    """
    return together(
        option("--activation", type=ACTIVATION, help="Of hidden layers.", otherwise="sigmoid"),
        option("--output", type=ACTIVATION, help="Of the last layer.", otherwise=output),
        option("--loss", type=LOSS, help="Between outputs and targets.", otherwise=loss),
        option("--l2", type=L2, help="λ, the weight of Σ w².", otherwise="0"),
    )


learning_rate_option = partial(
    option, "--learning-rate", type=LEARNING_RATE, help="η, the step per unit of gradient."
)
epochs_option = partial(
    option,
    "--epochs",
    type=whole(0, MOST_EPOCHS),
    help="How often the training goes through its rows, in all.",
)
person_option = partial(
    option,
    "--person",
    type=Name("alice", "bob", "charlie", "diana"),
    help="Whose loss the partial derivatives are of: one of the article's four people.",
)
init_option = partial(
    option,
    "--init",
    type=Name("normal", "ones"),
    help="Parameters drawn from N(0, 1), or all weights 1 and biases 0.",
)
form_option = partial(
    option,
    "--sigmoid-derivative",
    type=Name("stable", "article"),
    help="Of the article's network, σ' by hand as σ(z)σ(-z), which keeps its digits, or as "
    "f(1 - f).",
)


def column_options(target: str, otherwise: str | None = None) -> Callable:
    """--target and --feature, which choose columns of a table."""
    return together(
        option("--target", metavar="COLUMN", help=target, otherwise=otherwise),
        option(
            "--feature",
            "features",
            metavar="COLUMN",
            multiple=True,
            help="A column to predict from; repeatable.",
            otherwise="all others",
        ),
    )


#: The options of the article's training: the fields of `compare.experiment.Settings`.
training_options = together(
    seed_option("the starting parameters", type=SEED, default=44),
    epochs_option(default=1000),
    learning_rate_option(default=0.1),
    init_option(default="normal"),
    form_option(default="stable"),
)
