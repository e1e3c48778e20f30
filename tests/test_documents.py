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


@pytest.mark.slow
def test_the_newcomers_test_fails_and_passes_as_the_readme_says(tmp_path: Path) -> None:
    """Here in this environment; tests/test_wheels.py installs the wheel as the README says."""
    newcomer.fail_and_mend(sys.executable, tmp_path)
