"""`handgrad check --all`: judge every derivative of a file, a package or a list."""

import re
import sys
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from handgrad.commands.extras import tell
from handgrad.commands.process import json_text
from handgrad.commands.targets import BadInput, ending, show, working
from handgrad.data.findings import NotJudged
from handgrad.data.harmless import harmless

if TYPE_CHECKING:
    from handgrad.audit_report import AuditReport

#: How the names of files with the reports that fail begin; those of an earlier run are removed.
FAILED = "failed-"

#: The most characters of a check's name in that of a file, its last: file systems allow 255 bytes,
#: and a character of another script takes up to four.
LONGEST = 60


def check_all(
    source: str,
    options: dict[str, Any],
    plant: bool,
    tests: str | None,
    out: str | None,
    as_json: bool,
) -> int:
    """Judge all there is; print the reports that fail, and the table below them.

    Args:
        source: as for `handgrad.commands.by_name.discover`.
        options: of every check that has not its own.
        plant: whether to plant mistakes.
        tests: pytest's, of which to tell which mistakes they miss.
        out: the folder to write into.
        as_json: whether to print JSON instead.

    Returns:
        The exit code.
    """
    if out is not None:
        if Path(out).exists() and not Path(out).is_dir():
            raise BadInput(f"--out: {out} is a file; expected a folder")
        Path(out).mkdir(parents=True, exist_ok=True)
    with redirect_stdout(sys.stderr):
        with working(f"Loading {source}"):
            from handgrad.commands.by_name import discover
            from handgrad.commands.loading import Loader

            checks, left = discover(source, Loader())
        report, interrupted = _judged(source, checks, left, options)
        answer = report.to_dict()
    if not as_json:
        _show(report)
    if out is not None:
        try:
            _write(report, json_text(answer), Path(out), source)
        except OSError:  # what was judged is not lost
            if as_json:
                click.echo(json_text(answer))
            raise
    stopped = f"after {len(report.audited)} of {len(checks)} checks" if interrupted else ""
    wanted = ["plant"] if plant else []
    tell(source, report, report.plantable, answer, stopped, wanted, tests, as_json)
    codes = {ending(one) for one in report.audited}
    return next((code for code in (1, 2, 3) if code in codes), 0)


def _judged(
    source: str, checks: dict[str, Any], left: list[NotJudged], options: dict[str, Any]
) -> "tuple[AuditReport, bool]":
    """Return the report, and whether Ctrl-C ended it."""
    from handgrad.auditing import audit
    from handgrad.check import CheckInterrupted

    if not checks:
        what = "NAME_grad, NAME_hess or the like beside NAME, or what @handgrad.gradient_of marks"
        line = "no derivative to judge" if left else f"no derivative; expected {what}"
        raise BadInput(f"{source} has {line}", *(f"  {name}: {why}" for name, why in left))
    try:
        report, interrupted = audit(checks, **options), False
    except CheckInterrupted as interrupt:
        report, interrupted = interrupt.report, True
    return replace(report, not_judged=(*report.not_judged, *left)), interrupted


def _show(report: "AuditReport") -> None:
    for one in report.audited:
        if not one and one.report is not None:
            name = harmless(one.name)
            click.echo(f"{name}\n{'-' * len(name)}")
            show(one.report)
            click.echo()
    show(report)


def _write(report: "AuditReport", as_json: str, folder: Path, source: str) -> None:
    """Write the page, the JSON, the XML, and a file for each report that fails."""
    for old in folder.glob(f"{FAILED}*.txt"):
        old.unlink()
    texts = {
        "audit.html": report.to_html(f"Derivatives of {source}"),
        "audit.json": as_json + "\n",
        "junit.xml": report.to_junit(),
    }
    for one in report.audited:
        if not one and one.report is not None:
            name = FAILED + re.sub(r"[^\w.-]+", "_", one.name)[-LONGEST:]
            names = [f"{name}.txt", *(f"{name}-{k + 2}.txt" for k in range(len(texts)))]
            texts[next(name for name in names if name not in texts)] = f"{one.report}\n"
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
