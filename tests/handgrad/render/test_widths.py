"""Every report at several widths: no line is longer, no number is cut, and all fits together."""

import ast
import io
import re
import shlex
import sys
from html import unescape
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from rich.console import Console

from handgrad.data.numerals import terminal_width
from handgrad.judging.case import Case
from handgrad.power import Planted, Power
from handgrad.render import Reading, content
from handgrad.render.text import HEADINGS, again, as_text, columns_of, wrapped
from handgrad.report import StepReport, StepsReport
from handgrad.shrinking.counterexample import Counterexample
from tests.handgrad.reports import BOB, RIGHT, leaf, report, wrong
from tests.handgrad.speed.test_timing import STILL, rival, shown

WIDTHS = (50, 80, 120, 200)

DEEP = "params['encoder']['layers'][11]['attention']['projection']['weights']"
CALL = (
    "check_backward(attention_forward, attention_backward, queries, keys, values, mask, "
    "cotangent=cotangent, points=points, referee='series', trust_rules=['a b', 'softplus'])"
)
LONG = wrong(
    leaf(DEEP, BOB, index=(103, 20_441, 7)),
    leaf(DEEP[7:], RIGHT, yours=-1.2345678901234567e-300),
    *(leaf(f"params[{k}]") for k in range(20)),
    warnings=("a/" * 115 + " is a word that is longer than any line", "time ran out"),
    reproduce=CALL,
    certificate="Every element by power series in ball arithmetic, at up to 6,000 bits.",
)
DECIDED = report(leaf(DEEP, elements=100_000, judged=64), verdict="imprecise", points=0)

PLANTED = tuple(Planted(kind, DEEP, kind == "sign", 1e-17) for kind in ("sign", "zero") * 5)

MADE: dict[str, Any] = {
    "wrong": LONG,
    "right": report(RIGHT),
    "without leaves": report(verdict="undecidable", headline="undecidable: " + "why " * 60),
    "imprecise": DECIDED,
    "step": StepReport("scaled_dot_product_attention_backward (attention.py, line 118)", LONG),
    "steps": StepsReport(
        (
            StepReport("scaled_dot_product_attention_backward (models/attention.py, line 1)", LONG),
            StepReport("mean_backward", report()),
        )
    ),
    "right steps": StepsReport((StepReport("mean_backward", report()),)),
    "timings": shown(
        4.321e-3,
        first_call=12.0,
        on_device=rival([2e-3] * 6, [1e-3] * 6, STILL, 10.0),
        static=("options['mean']", "table"),
    ),
    "power": Power(PLANTED, 9, "in the links of the chain: there are too many"),
    "no power": Power((), 0),
}

FRACTIONS = re.compile(r"-?\d+\.\d+(?:e-?\d+)?|-?\d+e-?\d+")


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("name", MADE)
def test_no_line_is_longer_than_the_terminal_is_wide(
    name: str, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = str(MADE[name]).splitlines()
    assert max(map(len, lines)) <= columns
    out = io.StringIO()
    console = Console(file=out, width=columns, legacy_windows=False, color_system=None)
    console.print(MADE[name])
    assert [line.rstrip() for line in out.getvalue().splitlines()] == lines
    # No number is cut: each is one of those that the widest shows.
    monkeypatch.setenv("COLUMNS", "200")
    whole = set(FRACTIONS.findall(str(MADE[name])))
    assert set(FRACTIONS.findall("\n".join(lines))) <= whole


@pytest.mark.parametrize("name", MADE)
def test_html_says_the_words_of_the_text(name: str) -> None:
    page = MADE[name]._repr_html_()
    assert page.startswith('<div class="handgrad"')
    assert page.count("<div") == 1
    said = set(unescape(re.sub(r"<[^>]*>", " ", page)).split())
    words = set(as_text(MADE[name]._content(), 200).split())
    # It has the digits of every leaf, and so neither the worst element's by themselves nor cells
    # in brackets or with six digits.
    blocks = getattr(MADE[name]._content(), "blocks", [MADE[name]._content()])
    close_ups = [content.close_up(block) for block in blocks if isinstance(block, Reading)]
    apart = " ".join(
        f"{c.title} {c.tolerance} {' '.join(row.note for row in c.rows)}" for c in close_ups if c
    )
    assert {word for word in words - said - {*apart.split(), *HEADINGS} if word.isalpha()} == set()


def test_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for columns, width in (("1", 50), ("50", 50), ("137", 137), ("1000", 200)):
        monkeypatch.setenv("COLUMNS", columns)
        assert terminal_width() == width


def test_columns_are_left_out_before_a_path_is_cut() -> None:
    leaves = [leaf("params['w']", BOB, index=(103, 20_441, 7))]
    assert columns_of(leaves, 120)[0][-2:] == ("(autodiff)", "verdict")
    assert columns_of(leaves, 77)[0] == ("leaf", "worst", "yours", "exact", "ulps", "verdict")
    assert columns_of(leaves, 50)[0] == ("leaf", "worst", "ulps", "verdict")
    assert columns_of(leaves, 50)[1][0] == "params['w']"
    (_, row) = columns_of([leaf(DEEP)], 50)
    assert row[0].startswith("...")
    assert row[0].endswith("'weights']")


@pytest.mark.parametrize("columns", WIDTHS)
def test_what_is_to_be_pasted_is_whole_at_every_width(
    columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    text = again(CALL, columns)
    assert max(map(len, text.splitlines())) <= columns
    pasted = text.removeprefix("Again: ")
    assert ast.dump(ast.parse(pasted)) == ast.dump(ast.parse(CALL))
    command = "handgrad check models/attention.py:gradient --loss=loss --trust-rule 'a rule (1)'"
    text = again(command, columns)
    assert max(map(len, text.splitlines())) <= columns
    pasted = text.removeprefix("Again: ").replace("\\\n", "")
    assert shlex.split(pasted) == shlex.split(command)
    # The shell of Windows has nothing to break a line with.
    monkeypatch.setattr(sys, "platform", "win32")
    for line in (command, "handgrad check a.py:f --loss loss --trust-rule rule(1)"):
        assert again(line, columns) == f"Again: {line}"


def test_a_long_word_is_broken_at_its_joints() -> None:
    path = "params" + "".join(f"[{k}]" for k in range(1000, 1030))
    lines = wrapped(f"in {path}, yours is 0", 50).splitlines()
    assert len(lines) == 5
    assert all(
        re.fullmatch(r"\s*(in )?(params)?(\[\d{4}\])+(, yours is 0)?", line) for line in lines
    )


def test_a_step_of_a_report_says_its_name() -> None:
    told = str(StepReport("mean_backward", report(RIGHT)))
    assert told.startswith("mean_backward:\n\nagree: ")


def test_a_counterexample_is_code_in_every_format() -> None:
    """It goes into a file, and so is laid out as code, whatever the width."""
    case = Case(lambda w, x: w[0] * x, lambda w, x: jnp.sum(w * x))
    found = Counterexample(np.array([1.0]), ({"[red]": 1.0},), "w: yours is 1 & not 2", case)
    code = found.as_code()
    assert str(found) == code
    out = io.StringIO()
    Console(file=out, width=200, color_system=None).print(found)
    assert out.getvalue().split("\n")[:-1] == code.split("\n")
    assert "'[red]'" in code.replace('"', "'")
    page = found._repr_html_()
    assert unescape(page.removeprefix('<pre class="handgrad">').removesuffix("</pre>")) == code
