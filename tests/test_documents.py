"""What the documents say that commands print is what they print."""

import sys
from pathlib import Path

import pytest

from tests import newcomer
from tests.console import ROOT, blocks, check, commands

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))]


def shown_in(document: Path) -> list[tuple[str, str]]:
    return [command for block in blocks(document) for command in commands(block)]


@pytest.mark.slow
@pytest.mark.parametrize("document", [d for d in DOCUMENTS if shown_in(d)], ids=lambda d: d.name)
def test_commands_print_what_is_shown(document: Path) -> None:
    """From the top to the bottom: some use what earlier ones have written."""
    said = {
        command: check(command, expected)
        for command, expected in shown_in(document)
        if command not in (newcomer.INSTALL, newcomer.TEST)
    }
    assert {command: wrong for command, wrong in said.items() if wrong} == {}


def test_the_commands_are_found() -> None:
    shown = [command for document in DOCUMENTS for command, _ in shown_in(document)]
    assert {"make run", "make test", newcomer.INSTALL, newcomer.TEST} <= set(shown)
    assert len(shown) == sum(
        line.startswith("$ ") for document in DOCUMENTS for line in document.read_text().split("\n")
    )


def test_other_numbers_and_failures_are_seen() -> None:
    """One- and two-digit numbers count units in the last place, and may differ."""
    said = "echo loss 0.357768907562423 at 12"
    assert check(said, "loss 0.35776890756242 at 11") is None
    assert check(said, "...") is None
    assert check(said, "loss 0.357768906562423 at 12") is not None
    assert check(said, "loss 0.357768907562423 at 120") is not None
    assert check("echo one; exit 3", "one") is not None
    assert check("echo 'disagree: yours'; exit 1", "...") is None
    assert check("echo 'disagree: yours'", "...") is not None
    assert check("echo '1 failed, 2 passed in 3 s'; exit 1", "...") is None
    assert check("echo '1 failed, 2 passed in 3 s'", "...") is not None
    assert check("echo '2 of 3 checks pass: 1 wrong (a).'; exit 1", "...") is None
    assert check("echo '2 of 3 checks pass: 1 wrong (a).'", "...") is not None
    assert check("echo one; exit 1", "one") is not None


def test_our_own_commands_run_in_this_process() -> None:
    said = ".venv/bin/python -m handgrad --help"
    assert check(said, "Usage: handgrad [OPTIONS] COMMAND [ARGS]...\n...") is None
    assert check(said, "Usage: handgrad\n...") is not None
    assert check(".venv/bin/python -m handgrad chek", "...") is not None


@pytest.mark.slow
def test_the_newcomers_test_fails_and_passes_as_the_readme_says(tmp_path: Path) -> None:
    """Here in this environment; tests/test_wheels.py installs the wheel as the README says."""
    newcomer.fail_and_mend(sys.executable, tmp_path)
