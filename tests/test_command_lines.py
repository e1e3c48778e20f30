"""The five command lines read numbers, and word their help, in one way."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

import benchmarks.cli
import benchmarks.on_gpu
import compare.cli
import handgrad.cli
import study.cli
import website.cli
from compare.commands.options import OutFile
from handgrad.commands.options import Number, whole

ROOTS: dict[str, click.Command] = {
    "handgrad": handgrad.cli.cli,
    "compare": compare.cli.cli,
    "benchmarks": benchmarks.cli.cli,
    "study": study.cli.study,
    "website": website.cli.website,
    "benchmarks.on_gpu": benchmarks.on_gpu.command,
}


def walk(command: click.Command, context: click.Context) -> Iterator[click.Context]:
    """The context of a command, and of all below it."""
    yield context
    for name, below in getattr(command, "commands", {}).items():
        yield from walk(below, click.Context(below, context, info_name=name))


CONTEXTS = {
    context.command_path: context
    for name, root in ROOTS.items()
    for context in walk(root, click.Context(root, info_name=name))
}
COMMANDS = {path: context.command for path, context in CONTEXTS.items()}
#: All parameters but --help and --version, by command and name.
PARAMETERS = {
    f"{path} {param.opts[0]}": param
    for path, command in COMMANDS.items()
    for param in command.params
    if param.name not in ("help", "version")
}
OPTIONS = {name: param for name, param in PARAMETERS.items() if isinstance(param, click.Option)}


def metavar(name: str) -> str:
    """How help shows the type of a parameter."""
    return PARAMETERS[name].make_metavar(CONTEXTS[name.rpartition(" ")[0]])


NUMBERS = {name: param.type for name, param in PARAMETERS.items() if isinstance(param.type, Number)}
FLOATS = [name for name, kind in NUMBERS.items() if kind.parse is float]
WHOLE = [name for name in NUMBERS if name not in FLOATS]


#: Of the last ones `float` or `Decimal` reads each.
NO_NUMBERS = ("many", "", "nan", "inf", "1,5", "_2", "2_", "2__0", "2\n", " 2", "٢")


def read(name: str, text: str) -> Any:
    """What a parameter makes of a text: the number, or the message that refuses it."""
    param = PARAMETERS[name]
    try:
        return param.type.convert(text, param, None)
    except click.BadParameter as error:
        return error.message


def test_every_number_is_of_the_shared_type() -> None:
    """A number that click reads would take 1e3 for no whole number, and say so in other words."""
    for name, param in PARAMETERS.items():
        its_own = isinstance(param.type, click.types.IntParamType | click.types.FloatParamType)
        assert not its_own, name
        assert isinstance(param.default, int | float) <= (
            isinstance(param.type, Number) or isinstance(param.default, bool)
        ), name
        assert ("NUMBER" in metavar(name) or "SECONDS" in metavar(name)) <= (
            isinstance(param.type, Number) or param.name in ("weight", "height")
        ), name
    assert len(WHOLE) > 30
    assert len(FLOATS) > 15


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_number_is_written_in_any_of_three_ways(name: str) -> None:
    kind = NUMBERS[name]
    written = ("1000", "1_000", "1e3", "1E+3", "+1000")
    thousand = [read(name, text) for text in written]
    if kind.at_least <= 1000 <= kind.at_most and kind.parse.__name__ == "whole_number":
        assert thousand == [1000] * len(written)
        assert all(type(number) is int for number in thousand)
    else:
        assert thousand == [f"{text!r}; expected {kind.expected}." for text in written]
    assert type(read(name, "2")) is int
    for text in (*NO_NUMBERS, "1.5", "-1", "1e999999999", "1e99999999999999999999"):
        assert read(name, text) == f"{text!r}; expected {kind.expected}."


@pytest.mark.parametrize("name", FLOATS)
def test_another_number_is_written_as_python_writes_it(name: str) -> None:
    kind = NUMBERS[name]
    for text in ("0.1", "1e-1", ".1"):
        assert read(name, text) == 0.1
    for text in NO_NUMBERS:
        assert read(name, text) == f"{text!r}; expected {kind.expected}."
    assert read(name, "9" * 5000) == f"'{'9' * 59}…'; expected {kind.expected}."


def test_an_empty_path_is_not_the_current_folder() -> None:
    paths = [name for name, param in PARAMETERS.items() if isinstance(param.type, click.Path)]
    assert len(paths) > 15
    for name in paths:
        assert read(name, "") == "''; expected a path.", name


def test_limits_are_stated_as_they_may_be_written() -> None:
    assert whole(1, 10**15).expected == "a whole number from 1 to 1e15"
    assert whole(0, 100_000).expected == "a whole number from 0 to 100000"
    assert whole(0, 10**15).convert("1e15", None, None) == 10**15
    assert whole(0, 2**64 - 1).convert(str(2**64 - 1), None, None) == 2**64 - 1


#: Options that are not the same thing in all commands, and how the help of each begins.
OTHERWISE = {
    "--seed": "Draws ",
    "--out": "Write ",
    "--plot": "Draw ",
    "--quick": "Measure ",
    "--model": "A model that train has written; ",
    "--network": "Numbers of inputs, of the units of each hidden layer, and of outputs",
    "--target": "The column to predict",
    "--contender": "",  # an example of the names
    "--case": "",  # of a sweep; of the benchmarks
    "--subject": "",
    "--x": "",  # inputs of a pass; an axis of a figure
    "--y": "",
    "--open": "Open the ",
    "--plant": ("Plant ", "Make "),
    "--limit": ("Begin no cell after so long", "Stop a check after so long"),
    "--table": ("A table ", "Measure nothing: "),
    "--data": "The data",
    "--loss": ("The scalar loss", "Between outputs and targets."),
    "--dtype": "Of all numbers",
}


def test_the_same_option_has_the_same_words() -> None:
    words: dict[str, set[str | None]] = {}
    for name, option in OPTIONS.items():
        words.setdefault(name.rpartition(" ")[2], set()).add(option.help)
    several = {name: texts for name, texts in words.items() if len(texts) > 1}
    assert set(several) <= set(OTHERWISE)
    for name, texts in several.items():
        assert all(text and text.startswith(OTHERWISE[name]) for text in texts), name


def test_every_option_is_explained_by_a_sentence() -> None:
    for name, option in OPTIONS.items():
        assert option.help, name
        assert option.help.endswith("."), name
        assert "unless given" not in option.help, name  # a default is shown as [default: ...]
        assert " by default" not in option.help, name
        assert option.multiple == ("repeatable" in option.help), name


def test_defaults_are_shown() -> None:
    for name, option in OPTIONS.items():
        if not option.is_flag and option.default is not None and not option.required:
            shown = option.get_help_extra(CONTEXTS[name.rpartition(" ")[0]]).get("default", "")
            assert shown or "Sentinel" in repr(option.default), name
            assert not shown.startswith("("), name


def test_metavars_are_of_one_vocabulary() -> None:
    files = re.compile(r"FILE(\.\w+)?(\|FILE\.\w+)*|BEFORE|AFTER|FOLDER")
    for name, param in PARAMETERS.items():
        shown = metavar(name)
        assert shown not in ("TEXT", "INTEGER", "FLOAT", "PATH", "N", "DIR"), name
        assert "RANGE" not in shown, name
        if isinstance(param.type, click.Path | OutFile):
            assert files.fullmatch(shown), name


#: How short helps, and the help of flags, begin.
VERBS = re.compile(
    "Compare|Draw|Fit|Go|Judge|Leave|List|Make|Measure|Open|Plant|Predict|Print|Prove|Replace|Run|"
    "Show|Step|Take|Time|Train|Treat|Write"
)


def test_commands_and_flags_say_what_they_do() -> None:
    said = {path: command.short_help for path, command in COMMANDS.items() if path not in ROOTS}
    said |= {name: option.help for name, option in OPTIONS.items() if option.is_flag}
    for name, text in said.items():
        assert VERBS.fullmatch((text or "").split(" ")[0]), name


#: An option beside the list of what it takes, which is one word and is not broken.
LIST = re.compile(r"  --[a-z-]+ [\w-]+(\|[\w-]+)+")


# On a narrower terminal click writes help as on one of 52 columns.
@pytest.mark.parametrize("columns", [52, 60, 80, 100, 200])
def test_help_is_whole_and_fits_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for path, context in CONTEXTS.items():
        usage, *lines = context.get_help().splitlines()
        assert usage.startswith("Usage: "), path
        long = [line for line in lines if len(line) > columns and not LIST.fullmatch(line)]
        assert not long, path
        if isinstance(context.command, click.Group):
            assert not [line for line in lines if line.endswith("...")], path


STARTING = """
import sys
from {module}.cli import main
sys.argv = ["{module}", {word!r}]
try:
    main()
except SystemExit as ending:
    assert not ending.code, ending.code
heavy = {{"jax", "numpy", "scipy", "flint", "rich", "optax", "hypothesis"}}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""


@pytest.mark.parametrize("module", [name for name in ROOTS if "." not in name])
def test_the_version_is_said_at_once(module: str) -> None:
    code = STARTING.format(module=module, word="--version")
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    room = "" if module == "handgrad" else f"{module}, "
    assert (run.stdout, run.stderr) == (f"{room}handgrad {handgrad.__version__}\n", "")


@pytest.mark.parametrize("module", [name for name in ROOTS if "." not in name])
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no such device")
def test_a_full_disk_is_bad_input(module: str) -> None:
    command = [sys.executable, "-m", module, "--version"]
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    said = run.stderr.replace("device.\n", "device\n")
    assert (run.returncode, said) == (2, "Error: [Errno 28] No space left on device\n")
