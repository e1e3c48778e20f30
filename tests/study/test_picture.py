"""The picture of the documents is what the page draws today."""

from xml.etree import ElementTree

import pytest

from compare.traced.request import PassRequest
from study.picture import PICTURE, SAYS

pytestmark = pytest.mark.slow


def test_it_stands_alone_and_holds_python_s_numbers() -> None:
    """Without the page's script and style; read back from the file."""
    root = ElementTree.fromstring(PICTURE.read_text(encoding="utf-8"))
    texts = [node.text or "" for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert root.findtext("{http://www.w3.org/2000/svg}title") == SAYS
    for name, quantity in PassRequest(person="alice").trace().quantities.items():
        if quantity.kind == "gradient":
            number = f"{quantity.by_hand:+.3g}".replace("-", "−")
            assert any(number in text for text in texts), name
