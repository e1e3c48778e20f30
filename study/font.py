"""Embed the font of the formulas: the glyphs of STIX Two Math that the page needs.

Brackets, bars and roots grow only in a font with an OpenType MATH table. STIX Two is under the SIL
Open Font License, which allows embedding part of it.
"""

from base64 import b64encode
from collections.abc import Iterable
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

#: MathML renders letters in italics by the code points of mathematical letters.
_ITALIC = {
    **{chr(ord("A") + k): chr(0x1D434 + k) for k in range(26)},
    **{chr(ord("a") + k): chr(0x1D44E + k) for k in range(26)},
    **{chr(ord("α") + k): chr(0x1D6FC + k) for k in range(25)},
    "h": "ℎ",
    "∂": "𝜕",
}

#: Characters that the script fills in.
ALWAYS = "0123456789.,−-+=×·()/∞≈ ⁻⁰¹²³⁴⁵⁶⁷⁸⁹"


def glyphs(texts: Iterable[str]) -> set[str]:
    """Return the characters of formulas, upright and italic."""
    characters = set(ALWAYS).union(*texts)
    return characters | {_ITALIC[of] for of in characters if of in _ITALIC}


def _source() -> Path:
    """Return the font's file, without importing the package that contains it."""
    package = find_spec("ziamath")
    assert package is not None
    assert package.submodule_search_locations is not None
    (folder,) = package.submodule_search_locations
    return Path(folder) / "fonts" / "STIXTwoMath-Regular.ttf"


def embedded(characters: set[str]) -> str:
    """Return the font with these characters, as a data URL."""
    options = Options()
    options.layout_features = ["ssty", "math"]  # smaller forms for what is above and below
    options.hinting = False
    options.notdef_outline = True
    # No timestamp, so that the same content gives the same page.
    font = TTFont(_source(), recalcTimestamp=False)
    cut = Subsetter(options)
    cut.populate(text="".join(sorted(characters)))
    cut.subset(font)
    font.flavor = "woff"
    content = BytesIO()
    font.save(content)
    return f"data:font/woff;base64,{b64encode(content.getvalue()).decode()}"
