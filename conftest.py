"""The documents are tests: every block of Python in the README and in docs/ is executed.

What their `console` blocks show is held against what the commands print in tests/test_documents.py.
"""

from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser()],
    patterns=["README.md", "CONTRIBUTING.md", "docs/*.md"],
).pytest()
