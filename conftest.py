"""The documents are tests, and collecting tests leaves nothing for the garbage collector to walk.

Every block of Python in the README and in docs/ is executed. What their `console` blocks show is
held against what the commands print in tests/test_documents.py.
"""

import gc
from collections.abc import Iterator

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser()],
    patterns=["README.md", "CONTRIBUTING.md", "docs/*.md"],
).pytest()

# Modules and tests stay until the end. Going through them again and again, the collector took a
# quarter of the time that collecting takes.
gc.disable()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Turn the garbage collector on again once everything is collected.

    Nothing is frozen: `handgrad.steps.rebound` asks the collector who refers to a function.
    """
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the blocks of docs/ to the slow tests; those of the README are quick."""
    for item in items:
        if item.path.suffix == ".md" and item.path.parent.name == "docs":
            item.add_marker(pytest.mark.slow)
