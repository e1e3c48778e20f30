"""The command lines read numbers in one way, and end in one."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

import handgrad
from handgrad.commands.options import Number, whole
from tests.command_lines import CONTEXTS, ROOTS
from tests.tiers import one_of_each

COMMANDS = {path: context.command for path, context in CONTEXTS.items()}
#: All parameters but --help and --version, by command and name.
PARAMETERS = {
    f"{path} {param.opts[0]}": param
    for path, command in COMMANDS.items()
    for param in command.params
    if param.name not in ("help", "version")
}


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


def test_every_option_is_explained_and_no_help_is_cut() -> None:
    for path, context in CONTEXTS.items():
        _, *lines = context.get_help().splitlines()  # behind the line of its usage
        if isinstance(context.command, click.Group):
            assert not [line for line in lines if line.endswith("...")], path
        for param in context.command.params:
            assert isinstance(param, click.Argument) or getattr(param, "help", None), path


MODULES = one_of_each([name for name in ROOTS if "." not in name], ["handgrad", "compare"])

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


@pytest.mark.parametrize("module", MODULES)
def test_the_version_is_said_at_once(module: str) -> None:
    code = STARTING.format(module=module, word="--version")
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    room = "" if module == "handgrad" else f"{module}, "
    assert (run.stdout, run.stderr) == (f"{room}handgrad {handgrad.__version__}\n", "")


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no such device")
def test_a_full_disk_is_bad_input(module: str) -> None:
    command = [sys.executable, "-m", module, "--version"]
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    said = run.stderr.replace("device.\n", "device\n")
    assert (run.returncode, said) == (2, "Error: [Errno 28] No space left on device\n")
