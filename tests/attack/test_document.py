"""docs/reliability.md says what the stored results say, and nothing that somebody typed."""

from tests.attack.document import DOCUMENT, document
from tests.attack.parts import PARTS


def test_the_document_is_what_the_results_say() -> None:
    """`make document` makes it anew."""
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text == document()
    assert all(part.section().strip() in text for part in PARTS)
