"""Render a document and the reports that it sums up as one page of HTML, without script."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from handgrad.render.document import Document
from handgrad.render.html import as_html, badge

#: The page has the system's font and its choice of light or dark, and prints as it is.
STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 76em; margin: 2em auto; padding: 0 1.2em; }
h1 { font-size: 1.5em; margin: 0 0 .4em; }
h2 { font-size: 1.15em; margin: 2em 0 .4em; }
.handgrad { overflow-x: auto; }
details { border-top: 1px solid #8884; padding: .45em 0; }
summary { cursor: pointer; overflow-wrap: anywhere; }
summary .says { opacity: .75; }
.handgrad tr:nth-child(even) > td { background: #8881 !important; }
"""


class Section(NamedTuple):
    """The report of one check, below the document."""

    name: str
    verdict: str
    is_open: bool
    html: str  #: the report; empty if there is none
    says: str  #: in one line


def as_page(title: str, shown: Document, sections: Sequence[Section]) -> str:
    """Return a page: the document, then a section for each report, open where that is told."""
    body = [f"<h1>{escape(title)}</h1>", as_html(shown), "<h2>The reports</h2>"]
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>",
            *body,
            *map(_section, sections),
            "</body></html>\n",
        ]
    )


def _section(section: Section) -> str:
    start = f"{badge(section.verdict)} <strong>{escape(section.name)}</strong>"
    if not section.html:
        return f"<details open><summary>{start}</summary><p>{escape(section.says)}</p></details>"
    is_open = " open" if section.is_open else ""
    return f"<details{is_open}><summary>{start}</summary>{section.html}</details>"
