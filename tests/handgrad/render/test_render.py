"""How a report reads, at several widths: as text, on a rich console, as HTML."""

import ast
import io
import math
import re
import shlex
import sys
from html import unescape
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from handgrad import Enclosure, Finding, StepReport, StepsReport
from tests.handgrad.reports import BOB, RIGHT, ZERO, Page, leaf, report, timings, wrong
from tests.tiers import fewer

WIDTHS = (50, 120)

DEEP = "params['encoder']['layers'][11]['attention']['projection']['weights']"
CALL = (
    "check_backward(attention_forward, attention_backward, queries, keys, values, mask, "
    "cotangent=cotangent, points=points, referee='series', trust_rules=['a b', 'softplus'])"
)
LONG = wrong(
    leaf(DEEP, BOB, index=(103, 20_441, 7)),
    leaf(DEEP[7:], RIGHT, yours=-1.2345678901234567e-300),
    *(leaf(f"params[{k}]") for k in range(20)),
    warnings=("a/" * 115 + " is a word that is longer than any line", "[bold]is text[/bold]"),
    reproduce=CALL,
    certificate="Every element by power series in ball arithmetic, at up to 6,000 bits.",
)
MADE: dict[str, Any] = {
    "wrong": LONG,
    "without leaves": report(verdict="undecidable", headline="undecidable: " + "why " * 60),
    "imprecise": report(leaf(DEEP, elements=100_000, judged=64), verdict="imprecise", points=0),
    "steps": StepsReport(
        (
            StepReport("scaled_dot_product_attention_backward (models/attention.py, line 1)", LONG),
            StepReport("mean_backward", report()),
        )
    ),
    "timings": timings(first_call=12.0, static=("options['mean']", "table")),
}


def test_a_wrong_gradient_reads() -> None:
    """The whole, as a person sees it."""
    text = str(wrong(leaf("params['b']", shape=(), index=()), warnings=("one example only",)))
    assert text == (
        "disagree: params['w'][0, 1] is not the derivative\n"
        "\n"
        "The worst element, params['w'][0, 1]:\n"
        "  exact     1.5917677342738864232e-13\n"
        "  yours     0                          6.3e15 ulps\n"
        "  autodiff  1.5914044194235999e-13     1.4e12 ulps, right to about 4 digits\n"
        "\n"
        "leaf         worst   yours  exact        ulps    (autodiff)  verdict\n"
        "params['w']  [0, 1]  0      1.59177e-13  6.3e15  (1.4e12)    disagree\n"
        "params['b']          0.3    0.3          0.0     (1.0)       agree\n"
        "\n"
        "zero in params['w'][0, 1]: yours is 0 where the exact value is not\n"
        "Warning: one example only\n"
        "\n"
        "9 points judged. Every element was certified.\n"
        "Again: handgrad.check_gradient(gradient, loss, params, x, points=8, seed=0)"
    )


UNKNOWN = leaf(verdict="undecidable", exact=Enclosure("nan", math.inf), ulps=math.nan)
BEYOND = [leaf(f"p{k}", verdict="disagree", yours=y) for k, y in enumerate((0.31, math.nan, 1.3))]

#: What stands in a report in this order; what has "!" before it does not stand there.
READS: list[tuple[Any, tuple[str, ...]]] = [
    (report(*BEYOND, verdict="disagree"), ("p1 [0, 1]", "p2 [0, 1]", "p0 [0, 1]")),
    (report(RIGHT), ("agree: ", "!The worst element", "of 3e-14 in any element of")),
    (report(UNKNOWN, verdict="undecidable"), ("exact not known", "] 0.3 not known - ")),
    (
        wrong(observed=(ZERO,) * 9, warnings=("careful",) * 5, point=3),
        ("at point 3:", "... and 5 more findings", "... and 1 more warnings"),
    ),
    (
        timings(first_call=2.0, static=("inputs[0]", "inputs[2]")),
        (
            "yours 4.32 ms and its first one 2.00 s jit(value_and_grad(loss)) 1.00 ms",
            "loss 20.0 µs jit(loss) 314 ns",
            "Yours takes 4.32 times as long as jit(value_and_grad(loss)) (4.32 to 4.32), and",
            "Autodiff has paid for its compilation after about 3,000 calls.",
            "inputs[0], inputs[2] are constants of",
        ),
    ),
]


@pytest.mark.parametrize(("made", "parts"), READS)
def test_what_a_report_says(made: Any, parts: tuple[str, ...]) -> None:
    text = " ".join(str(made).split())
    assert [part for part in parts if part.startswith("!") and part[1:] in text] == []
    places = [text.find(part) for part in parts if not part.startswith("!")]
    assert -1 not in places, text
    assert places == sorted(places), text


@pytest.mark.slow
@fewer(8)
@given(
    st.integers(0, 30), st.sampled_from(["agree", "imprecise", "disagree"]), st.integers(0, 2),
    st.text("abc", max_size=300),
)  # fmt: skip
def test_fits_one_screen(leaves: int, verdict: str, remarks: int, name: str) -> None:
    """80 columns, and 24 lines of which the prompt takes one."""
    others = [leaf(f"params['layer{i}']['{name}']", verdict=verdict) for i in range(leaves)]
    warnings = ("The weights are all zero: many mistakes cannot be seen there.",) * remarks
    lines = str(wrong(*others, observed=(ZERO,) * remarks, warnings=warnings)).splitlines()
    assert len(lines) <= 23
    table = [line for line in lines if "(autodiff)" in line or line.endswith(verdict)]
    assert all(len(line) <= 80 for line in table)
    assert len(table) >= min(3, leaves)


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("name", MADE)
def test_it_fits_the_terminal_and_is_html_as_well(
    name: str, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = str(MADE[name]).splitlines()
    assert max(map(len, lines)) <= columns
    out = io.StringIO()
    Console(file=out, width=columns, legacy_windows=False, color_system=None).print(MADE[name])
    assert [line.rstrip() for line in out.getvalue().splitlines()] == lines
    page = MADE[name]._repr_html_()
    assert page.startswith('<div class="handgrad"')
    assert page.count("<div") == 1
    parsed = Page(page)
    assert parsed.open == []
    for warning in getattr(MADE[name], "warnings", ()):
        assert set(warning.split()) <= set(unescape(parsed.text).split())


def test_what_is_to_be_pasted_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")

    def again(call: str) -> str:
        return str(report(reproduce=call)).partition("Again: ")[2]

    monkeypatch.setattr(sys, "platform", "linux")
    assert ast.dump(ast.parse(again(CALL))) == ast.dump(ast.parse(CALL))
    command = "handgrad check models/attention.py:gradient --loss=loss --trust-rule 'a rule (1)'"
    assert max(map(len, again(command).splitlines())) <= 50
    assert shlex.split(again(command).replace("\\\n", "")) == shlex.split(command)
    # The shell of Windows has nothing to break a line with.
    monkeypatch.setattr(sys, "platform", "win32")
    assert again(command) == command


@fewer(4)
@given(*[st.floats(allow_nan=False, allow_infinity=False)] * 3)
def test_digits_line_up_and_none_are_lost(exact: float, yours: float, autodiff: float) -> None:
    at = leaf(like=BOB, exact=Enclosure(repr(exact), 0.0), yours=yours, autodiff=autodiff)
    text = str(report(at, verdict="disagree", blame="both"))
    lines = text.partition("The worst element")[2].splitlines()[1:4]
    assert [float(line.split()[1]) for line in lines] == [exact, yours, autodiff]
    assert len({len(re.split(r"(?<=\d)(?:[.e ]|$)", line)[0]) for line in lines}) == 1, lines


def test_rich_says_it_in_colours() -> None:
    out = io.StringIO()
    options = {"force_terminal": True, "color_system": "standard", "legacy_windows": False}
    Console(file=out, **options).print(wrong())
    assert out.getvalue().startswith("\x1b[1;31mdisagree\x1b[0m")
    assert "1.591\x1b[4m4044194235999e-13" in out.getvalue(), "underlined where digits part"


def test_html_escapes_what_comes_from_outside() -> None:
    bad = "<img src=x onerror='alert(1)'>&"
    found = Finding(bad, bad, None, f"{bad} in detail", 1.0)
    said = {"verdict": bad, "headline": f"{bad}: {bad}", "certificate": bad, "reproduce": bad}
    lists = {"observed": (found,), "warnings": (bad,)}
    answer = report(leaf(bad, dtype=bad, exact=Enclosure(bad, 0.0)), **said, **lists)
    assert "img" not in answer._repr_html_().replace("&lt;img", "")
    assert Page(answer._repr_html_()).text.count(bad) == 11
