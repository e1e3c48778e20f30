"""docs/reliability.md says what the stored results say, and nothing that somebody typed."""

import pytest

from tests.attack.document import DOCUMENT, document, hours

pytestmark = pytest.mark.slow


def test_the_document_is_what_the_results_say() -> None:
    """`make document` makes it anew."""
    assert DOCUMENT.read_text(encoding="utf-8") == document()


def test_rows_that_were_not_timed_take_as_long_as_those_that_were() -> None:
    timed = [{"kind": "a", "took": 3600}, {"kind": "b", "took": 7200, "seconds": 2}]
    others = [{"kind": "a"}, {"kind": "a"}, {"kind": "b", "seconds": 3}]
    assert hours(timed + others) == pytest.approx(3 + 5)
    assert hours([*timed, {"kind": "c"}]) is None
