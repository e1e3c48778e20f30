"""Options shared by several commands, and their parameter types."""

import difflib
import math
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from compare.limits import LARGEST_L2, LARGEST_SEED, MOST_EPOCHS, MOST_PARAMETERS, count_parameters
from compare.wording import install, quoted


def option(*names: str, **settings: Any) -> Callable:
    """Define an option whose help shows its default."""
    return click.option(*names, show_default=True, **settings)


def together(*options: Callable) -> Callable:
    """Combine several options into one decorator."""

    def decorated(command: Callable) -> Callable:
        for one in reversed(options):
            command = one(command)
        return command

    return decorated


class Number(click.ParamType):
    """A finite number within limits; the error message states them."""

    name = "number"

    def __init__(
        self,
        expected: str,
        convert: Callable[[str], float] = float,
        at_least: float = -math.inf,
        at_most: float = math.inf,
        above: float = -math.inf,
    ):
        self.expected = expected
        self.parse = convert
        self.at_least, self.at_most, self.above = at_least, at_most, above

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        """Parse the number."""
        try:
            number = self.parse(value)
        except ValueError:
            number = math.nan
        inside = self.at_least <= number <= self.at_most and number > self.above
        if not inside or not math.isfinite(number):
            self.fail(f"{value!r}; expected {self.expected}.", param, ctx)
        return number


def whole(low: int, high: int) -> Number:
    """Return the type of a whole number within limits."""
    return Number(f"a whole number from {low} to {high}", int, at_least=low, at_most=high)


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
    """A path that can be written to; checked before anything is computed.

    Args:
        suffixes: the allowed endings of the name.
        needs: a package needed for writing it, and the dependency group that installs it.
    """

    def __init__(self, *suffixes: str, needs: tuple[str, str] | None = None):
        self.suffixes, self.needs = suffixes, needs
        self.name = "|".join(f"file{suffix}" for suffix in suffixes)

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


SEED = whole(0, LARGEST_SEED)
EPOCHS = whole(0, MOST_EPOCHS)
STEPS = whole(1, 100_000)
LEARNING_RATE = Number("a finite number above 0", above=0)
L2 = Number(f"a number from 0 to {LARGEST_L2}", at_least=0, at_most=LARGEST_L2)
FILE = click.Path(path_type=Path)
PLOT_FILE = OutFile(".svg", ".png", needs=("matplotlib", "plot"))
PERSON = Name("alice", "bob", "charlie", "diana")
ACTIVATION = Name(table=lambda: import_module("manual.activations").ACTIVATIONS)
LOSS = Name(table=lambda: import_module("manual.losses").LOSSES)

CHECKPOINT_EVERY = option(
    "--checkpoint-every",
    "every",
    type=Number("a number of seconds from 0 up", at_least=0),
    default=1.0,
    help="Seconds between checkpoints; 0 writes one after every epoch.",
)
LOSS_PLOT = click.option(
    "--plot", "plot_file", type=PLOT_FILE, help="Draw the loss curves to this file."
)
OVERWRITE = click.option(
    "--overwrite", is_flag=True, help="Replace the file of --out if there is one."
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")


def epochs_option(default: int | None) -> Callable:
    """--epochs, for networks of any shape."""
    return option(
        "--epochs",
        type=EPOCHS,
        default=default,
        help="How often the training goes through its rows, in all.",
    )


#: The options of the article's training: the fields of `compare.experiment.Settings`.
training_options = together(
    option(
        "--seed",
        type=SEED,
        default=44,
        help="Draws the starting parameters, and the order if it is shuffled.",
    ),
    option(
        "--epochs",
        type=EPOCHS,
        default=1000,
        help="How often the training goes through the four people.",
    ),
    option(
        "--learning-rate", type=LEARNING_RATE, default=0.1, help="η, the step per unit of gradient."
    ),
    option(
        "--init",
        type=Name("normal", "ones"),
        default="normal",
        help="Start from N(0, 1), or from all weights 1 and biases 0.",
    ),
    option(
        "--order",
        type=Name("fixed", "shuffled"),
        default="fixed",
        help="People in the order of the table, or shuffled in each epoch.",
    ),
    option(
        "--shift",
        type=Name("article", "mean"),
        default="article",
        help="Subtract 135 lb and 66 in, or the means of the four people.",
    ),
    option(
        "--sigmoid-derivative",
        type=Name("stable", "article"),
        default="stable",
        help="By hand, σ' as σ(z)σ(-z), which keeps its digits, or as f(1 - f).",
    ),
)
