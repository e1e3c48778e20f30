"""Render many reports as one page of HTML, without script: what fails, what passes, and each."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from handgrad.data.numerals import plural
from handgrad.render.content import WORST_FIRST
from handgrad.render.document import Document, Table
from handgrad.render.html import as_html, badge, escape

#: The page has the system's font and its choice of light or dark, and prints as it is. Beside each
#: other stand as many groups as fit.
STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 96em; margin: 2em auto; padding: 0 1.2em }
body { overflow-wrap: anywhere; }
h1 { font-size: 1.5em; margin: 0 0 .4em; }
h2 { font-size: 1.15em; margin: 2em 0 .4em; }
h3 { font-size: 1em; margin: .6em 0 .3em; }
.groups { display: grid; grid-template-columns: repeat(auto-fill, minmax(40em, 1fr)); }
.groups { gap: 0 3em; font-size: .87em; }
.groups table { width: 100%; }
.handgrad { overflow-x: auto; }
details { border-top: 1px solid #8884; padding: .45em 0; }
summary { cursor: pointer; }
.handgrad table { overflow-wrap: normal; }
.handgrad tr:first-child th { border-bottom: 1px solid #8886; font-weight: 600; }
details > div { scroll-margin-top: 3em; }
a { color: inherit; }
.handgrad tr:nth-child(even) > td { background: #8881 !important; }
@media (max-width: 40em) {
  .groups { grid-template-columns: 1fr; }
  .failing tr:first-child { display: none; }
  .failing td { display: block; text-align: left !important; }
}
"""

NOT_CERTIFIED = (
    "Not certified: what can only be called is judged by differences, with an estimate of their "
    "error."
)

FAILING = ("check", "verdict", "blame", "seconds", "")
PASSING = ("check", "verdict", "detects", "seconds", "")


class Section(NamedTuple):
    """The report of one check."""

    name: str
    verdict: str
    fails: bool
    html: str  #: the report; empty if there is none
    says: str  #: in one line
    blame: str = ""
    seconds: float = 0.0
    detects: str = ""
    certified: bool = True

    @property
    def remark(self) -> str:
        """What there is to say of one that passes, beside its verdict."""
        off = "autodiff is off" if self.blame == "autodiff" else ""
        uncertified = "" if self.certified else "not certified"
        return "; ".join(part for part in (self.says, off, uncertified) if part)


def as_page(
    title: str, headline: str, sections: Sequence[Section], closing: Sequence[str | Table] = ()
) -> str:
    """Return a page: how many pass and which fail, tables by package, a section for each report.

    Args:
        title: the heading.
        headline: one line on all of them.
        sections: the reports, in the order of the tables; those that fail are open, and first.
        closing: what stands below the tables.
    """
    groups = _groups([section.name for section in sections])
    failing = [section for section in sections if section.fails]
    passing = [section for section in sections if not section.fails]
    # The reports follow in the order of the tables.
    order = failing + [one for group in _members(groups, passing).values() for one in group]
    links = {section.name: f"#{_place(k)}" for k, section in enumerate(order)}
    parts = [f"<h1>{escape(title)}</h1>", as_html(Document((as_sentence(headline),)))]
    if len(set(groups.values())) > 1:
        parts.append(as_html(Document((_summary(groups, sections),))))
    if failing:
        rows = tuple(
            (one.name, one.verdict, one.blame, f"{one.seconds:.1f}", one.says) for one in failing
        )
        shown = as_html(Document((Table(rows, FAILING, (3,)),)), links)
        parts += ["<h2>What fails</h2>", f'<div class="failing">{shown}</div>']
    if passing:
        parts += ["<h2>What passes</h2>", _passing(groups, passing, links)]
    below = [*closing, *([] if all(one.certified for one in sections) else [NOT_CERTIFIED])]
    if below:
        parts.append(as_html(Document(tuple(below))))
    parts += ["<h2>The reports</h2>", *(_section(one, _place(k)) for k, one in enumerate(order))]
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>",
            *parts,
            "</body></html>\n",
        ]
    )


def as_sentence(line: str) -> str:
    """Return a line with a capital and a full stop."""
    return f"{line[0].upper()}{line[1:]}."


def _groups(names: Sequence[str]) -> dict[str, str]:
    """Return the package, or else the module or file, that each name begins with.

    Of `scipy.special:airy` that is `scipy`; if all are of one package, `scipy.special`. A name
    without a colon is in the group of no name.
    """
    sources = {name: name.rpartition(":")[0] for name in names}
    files = any("/" in source or source.endswith(".py") for source in sources.values())
    packages = {name: source.partition(".")[0] for name, source in sources.items()}
    return sources if files or len(set(packages.values())) == 1 else packages


def _members(groups: dict[str, str], sections: Sequence[Section]) -> dict[str, list[Section]]:
    """Return the sections of each group, in the order of all; groups in alphabetical order."""
    found: dict[str, list[Section]] = {group: [] for group in sorted(set(groups.values()))}
    for section in sections:
        found[groups[section.name]].append(section)
    return {group: members for group, members in found.items() if members}


def _summary(groups: dict[str, str], sections: Sequence[Section]) -> Table:
    """Return how many checks of each group have which verdict."""
    known = [*reversed(WORST_FIRST), *(one.verdict for one in sections)]
    verdicts = [v for v in dict.fromkeys(known) if any(one.verdict == v for one in sections)]
    rows = []
    for group, members in _members(groups, sections).items():
        count = Counter(one.verdict for one in members)
        uncertified = sum(not one.certified for one in members)
        rows.append(
            (
                group or "others",
                str(len(members)),
                *(str(count[verdict] or "") for verdict in verdicts),
                str(uncertified or ""),
                f"{sum(one.seconds for one in members):.1f}",
            )
        )
    head = ("", "checks", *verdicts, "not certified", "seconds")
    return Table(tuple(rows), head, tuple(range(1, len(head))))


def _passing(groups: dict[str, str], passing: Sequence[Section], links: dict[str, str]) -> str:
    """Return a table of each group; names lack what they have in common, if they share it."""
    parts = []
    several = len(set(groups.values())) > 1
    for group, members in _members(groups, passing).items():
        short = {one.name: one.name for one in members}
        if several and group:
            short = {name: name[len(group) :].lstrip(".:") for name in short}
        rows = tuple(
            (short[one.name], one.verdict, one.detects, f"{one.seconds:.1f}", one.remark)
            for one in members
        )
        of_these = {short[one.name]: links[one.name] for one in members}
        heading = f"{group or 'others'}: {plural(len(members), 'check')}" if several else ""
        shown = as_html(Document((Table(rows, PASSING, (2, 3)),)), of_these)
        parts.append(f"<section>{heading and f'<h3>{escape(heading)}</h3>'}{shown}</section>")
    style = ' class="groups"' if several else ""
    return f"<div{style}>{''.join(parts)}</div>"


def _place(k: int) -> str:
    return f"report-{k + 1}"


def _section(section: Section, place: str) -> str:
    start = f"{badge(section.verdict)} <strong>{escape(section.name)}</strong>"
    is_open = " open" if section.fails else ""
    shown = section.html or f"<p>{escape(section.says)}</p>"
    # Where a link leads to is inside: a browser then opens what is around it.
    return f'<details{is_open}><summary>{start}</summary><div id="{place}">{shown}</div></details>'
