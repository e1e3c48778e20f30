"""The caller's text, made harmless to show."""

import re

#: What a terminal obeys, what turns the order of letters around, and what no file in UTF-8 and no
#: XML can hold. Tabs and line breaks stay.
CONTROLS = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
    r"|\r(?!\n)"
)


def harmless(text: str) -> str:
    r"""Return a text with its control characters as Python writes them: `\x1b`."""
    return CONTROLS.sub(lambda found: repr(found[0])[1:-1], text)
