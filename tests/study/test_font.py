"""The embedded font: every sign of every formula, at little size, and the same at every build."""

import re
from base64 import b64decode
from collections.abc import Iterable
from html import unescape
from io import BytesIO
from typing import Any

import pytest
from fontTools.ttLib import TTFont

from study.content import formulas
from study.font import ALWAYS, glyphs


def font_of(html: str) -> TTFont:
    """The font that is embedded in a page."""
    (encoded,) = re.findall(r'url\("data:font/woff;base64,([^"]+)"\)', html)
    return TTFont(BytesIO(b64decode(encoded)))


def known_to(font: TTFont) -> set[str]:
    return {chr(code) for code in font.getBestCmap() or {}}


def signs(markups: Iterable[str]) -> set[str]:
    """Every sign that a reader sees, and the slanted form that browsers show for a letter in mi."""
    seen: set[str] = set()
    for markup in markups:
        seen.update(unescape(re.sub(r"<[^>]*>", "", markup)))
        for letter in re.findall(r"<mi>(.)</mi>", markup):
            seen.add(slanted(letter))
    return seen


def slanted(letter: str) -> str:
    """The italic form that MathML Core gives a single letter; Unicode left a hole for h."""
    if letter == "h":
        return "ℎ"
    for first, last, to in (("A", "Z", 0x1D434), ("a", "z", 0x1D44E), ("α", "ω", 0x1D6FC)):
        if first <= letter <= last:
            return chr(to + ord(letter) - ord(first))
    return letter


@pytest.mark.slow
def test_every_sign_of_the_article_s_page(content: dict[str, Any], html: str) -> None:
    known = known_to(font_of(html))
    wanted = signs(formulas(content)) | set(ALWAYS)
    assert "<" in wanted  # of an erratum; in the markup it is written otherwise
    # Spaces that do not break are drawn as nothing, by any font.
    assert wanted - known <= {"\xa0", "\n"}


def test_slanted_letters_come_with_upright_ones() -> None:
    assert {"h", "ℎ", "w", "𝑤", "σ", "𝜎", "∂", "𝜕", "9", "("} <= glyphs(["hwσ∂"])
