"""The command lines read numbers in one way, and end in one."""

import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

import handgrad
from handgrad.commands.options import Number, whole, whole_number
from tests.command_lines import CONTEXTS, ROOTS
from tests.tiers import one_of_each

#: All parameters but --help and --version, by command and name.
PARAMETERS = {
    f"{path} {param.opts[0]}": param
    for path, context in CONTEXTS.items()
    for param in context.command.params
    if param.name not in ("help", "version")
}
NUMBERS = {name: param.type for name, param in PARAMETERS.items() if isinstance(param.type, Number)}

#: Of the last ones `float` or `Decimal` reads each.
NO_NUMBERS = ("many", "", "nan", "inf", "1,5", "_2", "2_", "2__0", "2\n", " 2", "٢")
NOT_WHOLE = ("1.5", "-1", "1e999999999", "1e99999999999999999999")


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
        shown = param.make_metavar(CONTEXTS[name.rpartition(" ")[0]])
        number = isinstance(param.default, int | float) and not isinstance(param.default, bool)
        number = number or "NUMBER" in shown or "SECONDS" in shown
        assert not isinstance(param.type, click.types.IntParamType | click.types.FloatParamType)
        assert number <= (name in NUMBERS or param.name in ("weight", "height")), name


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_is_written_as_python_writes_it_or_whole_in_any_of_three_ways(name: str) -> None:
    kind = NUMBERS[name]
    written = dict.fromkeys(("0.1", "1e-1", ".1"), 0.1)
    wrong = [*NO_NUMBERS, "9" * 5000]
    if kind.parse is not float:
        written = {"2": 2}
        wrong = [*NO_NUMBERS, *NOT_WHOLE]
        thousand = ("1000", "1_000", "1e3", "1E+3", "+1000")
        if kind.at_least <= 1000 <= kind.at_most and kind.parse is whole_number:
            written |= dict.fromkeys(thousand, 1000)
        else:
            wrong += thousand
    for text, number in written.items():
        assert (read(name, text), type(read(name, text))) == (number, type(number))
    for text in wrong:
        short = text if len(text) < 60 else f"{text[:59]}…"
        assert read(name, text) == f"{short!r}; expected {kind.expected}."


def test_limits_are_stated_as_they_may_be_written() -> None:
    assert whole(1, 10**15).expected == "a whole number from 1 to 1e15"
    assert whole(0, 100_000).expected == "a whole number from 0 to 100000"
    assert whole(0, 10**15).convert("1e15", None, None) == 10**15
    assert whole(0, 2**64 - 1).convert(str(2**64 - 1), None, None) == 2**64 - 1


def test_an_empty_path_is_not_the_current_folder() -> None:
    paths = [name for name, param in PARAMETERS.items() if isinstance(param.type, click.Path)]
    assert {read(name, "") for name in paths} == {"''; expected a path."}


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
import runpy
sys.argv = ["{module}", "--version"]
try:
    runpy.run_module("{module}", run_name="__main__")
except SystemExit as ending:
    assert not ending.code, ending.code
heavy = {{"jax", "numpy", "scipy", "flint", "rich", "optax", "hypothesis"}}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""


@pytest.mark.parametrize("buffered", [True, False], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("module", MODULES)
def test_the_version_is_said_at_once_and_a_full_disk_is_bad_input(
    module: str, buffered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", "" if buffered else "1")
    command = [sys.executable, "-c", STARTING.format(module=module)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    room = "" if module == "handgrad" else f"{module}, "
    assert (run.stdout, run.stderr) == (f"{room}handgrad {handgrad.__version__}\n", "")
    if not Path("/dev/full").exists():
        return
    command = [sys.executable, "-m", module, "--version"]
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    said = run.stderr.replace("device.\n", "device\n")
    assert (run.returncode, said) == (2, "Error: [Errno 28] No space left on device\n")


@pytest.mark.parametrize(
    "room", ["benchmarks", "compare", "evaluation.foreign", "study", "website"]
)
def test_a_command_interrupted_while_it_is_loaded_ends_as_later(
    room: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupting:
        @staticmethod
        def find_spec(name: str, *_: object) -> None:
            if name == f"{room}.cli":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, f"{room}.cli", raising=False)
    monkeypatch.setattr(os, "_exit", sys.exit)
    monkeypatch.setattr(sys, "meta_path", [Interrupting, *sys.meta_path])
    with pytest.raises(SystemExit) as ending:
        runpy.run_module(room, run_name="__main__")
    assert ending.value.code == 130
    assert capsys.readouterr().err == "\nStopped.\n"
