"""The documents are tests, and collecting tests leaves nothing for the garbage collector to walk.

Every block of Python in the README and in docs/ is executed, at the settings that a reader has, and
a block of `output` is what the block before it prints. What their `console` blocks show is held
against what the commands print in tests/documents/test_documents.py.
"""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from sybil import Example, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser, SkipParser

# Reports are as wide as the terminal; in tests and documents they are the same in every one.
os.environ["COLUMNS"] = "80"

# A mistake in handgrad fails a test also where it would only cost a user a hint, a diagnosis or a
# smaller counterexample; see `handgrad.data.attempts`.
os.environ["HANDGRAD_RAISE_INTERNAL_ERRORS"] = "1"

DOCS = Path(__file__).parent / "docs"


class _Printing(PythonEvaluator):
    """Runs a block, and keeps what it prints."""

    def __call__(self, example: Example) -> None:
        with redirect_stdout(StringIO()) as printed:
            super().__call__(example)
        example.namespace["printed"] = printed.getvalue()


def _shown(example: Example) -> str | None:
    """Say how a block of `output` differs from what the block before it has printed."""
    from tests.console import same

    printed = example.namespace["printed"]
    return None if same(example.parsed, printed) else f"the block before it printed\n{printed}"


def _conditions(namespace: dict[str, Any]) -> None:
    """Give a document what its conditions for skipping a block are written with."""
    namespace |= {"missing": lambda name: find_spec(name) is None, "which": which}


pytest_collect_file = Sybil(
    parsers=[
        CodeBlockParser("python", _Printing()),
        CodeBlockParser("output", _shown),
        SkipParser(),
    ],
    patterns=["README.md", "CONTRIBUTING.md", "docs/*.md", "docs/**/*.md"],
    setup=_conditions,
    fixtures=["as_for_a_reader"],
).pytest()

#: What cannot be imported without a package that `make install` leaves out: `make lint` and the
#: slow tests install it, and `make test-torch` torch.
NEED = {
    "check_jsonschema": ["tests/test_project.py"],
    "playwright": ["tests/study"],
    "sympy": [
        "compare/commands/prove.py",
        "compare/proof.py",
        "tests/compare/test_proof.py",
        "tests/compare/test_prove_cli.py",
        "tests/manual/test_network_libraries.py",
        "tests/manual/test_objects.py",
        "tests/documents/test_derivation.py",
    ],
    "torch": [
        "models/torch_functions/*",
        "handgrad/torch.py",
        "handgrad/torch_reports.py",
        "handgrad/program/aten/*",
        "handgrad/judging/pytorch/*",
    ],
}
MISSING = [package for package in NEED if not find_spec(package)]
if os.environ.get("HANDGRAD_BROWSER") == "required":
    assert not set(MISSING) - {"torch"}, MISSING
collect_ignore_glob = [path for package in MISSING for path in NEED[package]]

# Modules and tests stay until the end. Going through them again and again, the collector took a
# quarter of the time that collecting takes.
gc.disable()


def pytest_report_header() -> str | None:
    """Say what is left out, and why."""
    left_out = [f"{', '.join(NEED[name])} ({name})" for name in MISSING if name != "torch"]
    return f"left out, as packages are missing: {'; '.join(left_out)}" if left_out else None


@pytest.fixture
def as_for_a_reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave out what tests/conftest.py sets for tests; a document's files are beside it."""
    import jax
    from hypothesis import settings

    monkeypatch.syspath_prepend(DOCS)
    before = settings.get_current_profile_name()
    settings.load_profile("default")
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield
    settings.load_profile(before)
    for path in DOCS.glob("*.py"):  # their `model` is not that of a later test
        sys.modules.pop(path.stem, None)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Turn the garbage collector on again once everything is collected.

    Nothing is frozen: `handgrad.steps.recorded` asks the collector for the function of some code.
    """
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the blocks of docs/ and the judge's examples to the slow tests; the README is quick."""
    for item in items:
        of_docs = item.path.suffix == ".md" and item.path.is_relative_to(DOCS)
        if of_docs or item.path.is_relative_to(DOCS.parent / "handgrad"):
            item.add_marker(pytest.mark.slow)
