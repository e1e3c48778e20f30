"""Render a document and the reports that it sums up as one page of HTML, without script."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from handgrad.render.document import Document
from handgrad.render.html import as_html, badge

#: The page has the system's font and its choice of light or dark, and prints as it is.
STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 76em; margin: 2em auto; padding: 0 1.2em }
body { overflow-wrap: anywhere; }
h1 { font-size: 1.5em; margin: 0 0 .4em; }
h2 { font-size: 1.15em; margin: 2em 0 .4em; }
.handgrad { overflow-x: auto; }
details { border-top: 1px solid #8884; padding: .45em 0; }
summary { cursor: pointer; }
.handgrad table { overflow-wrap: normal; }
details > div { scroll-margin-top: 3em; }
a { color: inherit; }
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
    links = {section.name: f"#{_place(k)}" for k, section in enumerate(sections)}
    body = [f"<h1>{escape(title)}</h1>", as_html(shown, links), "<h2>The reports</h2>"]
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>",
            *body,
            *(_section(section, _place(k)) for k, section in enumerate(sections)),
            "</body></html>\n",
        ]
    )


def _place(k: int) -> str:
    return f"report-{k + 1}"


def _section(section: Section, place: str) -> str:
    start = f"{badge(section.verdict)} <strong>{escape(section.name)}</strong>"
    is_open = " open" if section.is_open else ""
    shown = section.html or f"<p>{escape(section.says)}</p>"
    # Where a link leads to is inside: a browser then opens what is around it.
    return f'<details{is_open}><summary>{start}</summary><div id="{place}">{shown}</div></details>'
