"""The documents are tests: every code block of the README and of docs/ is executed."""

from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

from tests.console import ConsoleBlocks

pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), ConsoleBlocks()],
    patterns=["README.md", "CONTRIBUTING.md", "docs/*.md"],
).pytest()
