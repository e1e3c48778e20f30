"""Render results as JUnit's XML, which CI systems show as tests."""

from collections.abc import Sequence
from typing import NamedTuple
from xml.etree import ElementTree

from handgrad.data.harmless import CONTROLS


class Case(NamedTuple):
    """One test case."""

    name: str
    seconds: float
    outcome: str  #: failure, error or skipped; empty if it passes
    says: str  #: in one line
    text: str = ""  #: the whole report


def as_junit(suite: str, cases: Sequence[Case]) -> str:
    """Return test cases as a document with one suite.

    Its form is that of the schema which Jenkins and GitLab document; a name before a colon, of a
    module or a file, is the class.
    """
    counts = {
        f"{outcome}s".replace("skippeds", "skipped"): sum(c.outcome == outcome for c in cases)
        for outcome in ("failure", "error", "skipped")
    }
    seconds = f"{sum(case.seconds for case in cases):.3f}"
    head = {"name": suite, "tests": len(cases), **counts, "time": seconds}
    root = ElementTree.Element("testsuites")
    of_suite = ElementTree.SubElement(root, "testsuite", {k: str(v) for k, v in head.items()})
    for case in cases:
        module, _, name = _shown(case.name).rpartition(":")
        named = {"classname": module or suite, "name": name, "time": f"{case.seconds:.3f}"}
        element = ElementTree.SubElement(of_suite, "testcase", named)
        if case.outcome:
            found = ElementTree.SubElement(element, case.outcome, {"message": _shown(case.says)})
            found.text = _shown(case.text) or None
        elif case.text:
            ElementTree.SubElement(element, "system-out").text = _shown(case.text)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _shown(text: str) -> str:
    return CONTROLS.sub("\ufffd", text)
