"""What the documents say that commands print is what they print."""

import pytest

from tests.console import ROOT, blocks, check, commands

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/*.md"))]

COMMANDS = [
    pytest.param(*command, id=f"{document.name}: {command[0]}")
    for document in DOCUMENTS
    for block in blocks(document)
    for command in commands(block)
]


@pytest.mark.slow
@pytest.mark.parametrize(("command", "expected"), COMMANDS)
def test_a_command_prints_what_is_shown(command: str, expected: str) -> None:
    """In the order of the documents: some use what earlier ones have written."""
    assert check(command, expected) is None


def test_the_commands_are_found() -> None:
    shown = [command.values[0] for command in COMMANDS]
    assert {"make run", "make test"} <= set(shown)
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
    assert check("echo one; exit 1", "one") is not None
