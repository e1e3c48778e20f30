"""An audit as one page of HTML, without script, and as JUnit's XML, which CI systems show."""

from collections import Counter
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

from handgrad.audited import Audited
from handgrad.data.findings import NotJudged
from handgrad.data.harmless import CONTROLS
from handgrad.data.numerals import plural
from handgrad.render import Document, Table
from handgrad.render.content import WORST_FIRST
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
#: The name of the suite, for JUnit.
SUITE = "handgrad"

PASSING = ("check", "verdict", "detects", "seconds", "")


def as_page(
    title: str, headline: str, audited: Sequence[Audited], closing: Sequence[str | Table] = ()
) -> str:
    """Return a page: how many pass and which fail, tables by package, a section for each report.

    Args:
        title: the heading.
        headline: a sentence on all of them.
        audited: the checks, in the order of the tables; those that fail are open, and first.
        closing: what stands below the tables.
    """
    group_of = _groups([one.name for one in audited])
    groups = {
        group: [one for one in audited if group_of[one.name] == group]
        for group in sorted(set(group_of.values()))
    }
    failing = [one for one in audited if not one]
    # The reports follow in the order of the tables.
    order = failing + [one for members in groups.values() for one in members if one]
    links = {one.name: f"#report-{k + 1}" for k, one in enumerate(order)}
    parts = [f"<h1>{escape(title)}</h1>", as_html(Document((headline,)))]
    if len(groups) > 1:
        parts.append(as_html(Document((_summary(groups),))))
    if failing:
        rows = tuple((*one.row[:4], one.says) for one in failing)
        shown = as_html(Document((Table(rows, FAILING, (3,)),)), links)
        parts += ["<h2>What fails</h2>", f'<div class="failing">{shown}</div>']
    if len(order) > len(failing):
        parts += ["<h2>What passes</h2>", _passing(groups, links)]
    below = [*closing, *([] if all(map(_is_certified, audited)) else [NOT_CERTIFIED])]
    if below:
        parts.append(as_html(Document(tuple(below))))
    parts += ["<h2>The reports</h2>", *(_section(one, links[one.name]) for one in order)]
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


def _groups(names: Sequence[str]) -> dict[str, str]:
    """Return the package, or else the module or file, that each name begins with.

    Of `scipy.special:airy` that is `scipy`; if all are of one package, `scipy.special`. A name
    without a colon is in the group of no name.
    """
    sources = {name: name.rpartition(":")[0] for name in names}
    files = any("/" in source or source.endswith(".py") for source in sources.values())
    packages = {name: source.partition(".")[0] for name, source in sources.items()}
    return sources if files or len(set(packages.values())) == 1 else packages


def _is_certified(one: Audited) -> bool:
    return all(report.certified for report in one.reports)


def _summary(groups: Mapping[str, Sequence[Audited]]) -> Table:
    """Return how many checks of each group have which verdict."""
    there = [one.verdict for members in groups.values() for one in members]
    verdicts = [v for v in dict.fromkeys([*reversed(WORST_FIRST), *there]) if v in there]
    rows = []
    for group, members in groups.items():
        count = Counter(one.verdict for one in members)
        numbers = [*(count[verdict] for verdict in verdicts)]
        numbers.append(sum(not _is_certified(one) for one in members))
        seconds = f"{sum(one.seconds for one in members):.1f}"
        shown = (str(number or "") for number in numbers)
        rows.append((group or "others", str(len(members)), *shown, seconds))
    head = ("", "checks", *verdicts, "not certified", "seconds")
    return Table(tuple(rows), head, tuple(range(1, len(head))))


def _passing(groups: Mapping[str, Sequence[Audited]], links: Mapping[str, str]) -> str:
    """Return a table of each group; names lack what they have in common, if they share it."""
    parts = []
    for group, members in groups.items():
        rows, of_these = [], {}
        for one in filter(None, members):
            name = one.name[len(group) :].lstrip(".:") if len(groups) > 1 else one.name
            of_these[name] = links[one.name]
            rows.append((name, one.verdict, one.detects, one.row[3], _remark(one)))
        heading = f"{group or 'others'}: {plural(len(rows), 'check')}"
        heading = f"<h3>{escape(heading)}</h3>" if len(groups) > 1 else ""
        shown = as_html(Document((Table(tuple(rows), PASSING, (2, 3)),)), of_these)
        parts += [f"<section>{heading}{shown}</section>"] if rows else []
    style = ' class="groups"' if len(groups) > 1 else ""
    return f"<div{style}>{''.join(parts)}</div>"


def _remark(one: Audited) -> str:
    """Return what there is to say of one that passes, beside its verdict."""
    off = "autodiff is off" if one.blame == "autodiff" else ""
    uncertified = "" if _is_certified(one) else "not certified"
    return "; ".join(part for part in (one.says, off, uncertified) if part)


def _section(one: Audited, link: str) -> str:
    start = f"{badge(one.verdict)} <strong>{escape(one.name)}</strong>"
    is_open = "" if one else " open"
    shown = f"<p>{escape(one.says)}</p>" if one.report is None else one.report._repr_html_()
    # Where a link leads to is inside: a browser then opens what is around it.
    return (
        f'<details{is_open}><summary>{start}</summary><div id="{link[1:]}">{shown}</div></details>'
    )


def as_junit(audited: Sequence[Audited], not_judged: Sequence[NotJudged]) -> str:
    """Return checks as a document with one suite, whose form Jenkins and GitLab document.

    A name before a colon, of a module or a file, is the class.
    """
    outcomes = ["" if one else "error" if one.report is None else "failure" for one in audited]
    head = {
        "name": SUITE,
        "tests": len(audited) + len(not_judged),
        "failures": outcomes.count("failure"),
        "errors": outcomes.count("error"),
        "skipped": len(not_judged),
        "time": f"{sum(one.seconds for one in audited):.3f}",
    }
    root = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(root, "testsuite", {k: str(v) for k, v in head.items()})
    for one, outcome in zip(audited, outcomes, strict=True):
        says = {"message": _shown(f"{one.verdict}: {one.says}" if one.says else one.verdict)}
        case = _case(suite, one.name, one.seconds)
        found = ElementTree.SubElement(case, outcome or "system-out", says if outcome else {})
        found.text = None if one.report is None else _shown(str(one.report))
    for name, reason in not_judged:
        ElementTree.SubElement(_case(suite, name), "skipped", {"message": _shown(reason)})
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _case(suite: ElementTree.Element, name: str, seconds: float = 0.0) -> ElementTree.Element:
    module, _, name = _shown(name).rpartition(":")
    named = {"classname": module or SUITE, "name": name, "time": f"{seconds:.3f}"}
    return ElementTree.SubElement(suite, "testcase", named)


def _shown(text: str) -> str:
    return CONTROLS.sub("\ufffd", text)
