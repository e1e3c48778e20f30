"""docs/reliability.md, made from the stored results of every part."""

from pathlib import Path

from tests.attack.parts import PARTS
from tests.attack.stored import filled

DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"


def document() -> str:
    """Return the text of docs/reliability.md."""
    return filled(
        Path(__file__).with_name("reliability.md.j2"), sections=[p.section() for p in PARTS]
    )
