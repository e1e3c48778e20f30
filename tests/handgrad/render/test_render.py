"""How a report reads: as text, on a rich console, as HTML."""

import io
import math
import re
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from handgrad.data import numerals
from handgrad.data.findings import Diagnosis, Enclosure, Finding
from handgrad.render import Document, Table, closing, content, html
from handgrad.report import GradientReport, StepReport, StepsReport
from tests.handgrad.reports import BOB, RIGHT, ZERO, leaf, report, wrong
from tests.tiers import fewer

finite = st.floats(allow_nan=False, allow_infinity=False)


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
    text = str(wrong(*others, observed=(ZERO,) * remarks, warnings=warnings))
    lines = text.splitlines()
    assert len(lines) <= 23
    table = [line for line in lines if "(autodiff)" in line or line.endswith(verdict)]
    assert all(len(line) <= 80 for line in table)
    assert len(table) >= min(3, leaves)


def test_the_worst_leaves_are_shown_and_the_others_counted() -> None:
    others = [leaf(f"params[{i}]") for i in range(20)]
    worst = leaf("params[20]", verdict="imprecise", ulps=1e9)
    shown = re.findall(r"^params\S+", str(wrong(*others, worst)), flags=re.MULTILINE)
    assert shown[:3] == ["params['w']", "params[20]", "params[0]"]
    assert f"... and {22 - len(shown)} more leaves, all agree" in str(wrong(*others, worst))
    lossy = [leaf(f"params[{i}]", verdict="imprecise") for i in range(20)]
    assert re.search(r"more leaves, \d+ of them agree", str(wrong(*lossy, *others)))


def test_among_equals_the_one_furthest_off_comes_first() -> None:
    """In tolerances, which are another for each element."""
    far = [leaf(f"{y}", verdict="disagree", yours=y) for y in (1.3, math.nan, 0.5, 0.31)]
    assert [found.path for found in content.ordered(report(*far).reading)] == [
        "nan",
        "1.3",
        "0.5",
        "0.31",
    ]
    finer = leaf("finer", verdict="disagree", yours=0.5, sharp=far[0].sharp / 100)
    assert content.ordered(report(far[0], finer).reading)[0] is finer
    blamed = report(leaf("a"), leaf("b", ulps_autodiff=1e9), blame="autodiff")
    assert [found.path for found in content.ordered(blamed.reading)] == ["b", "a"]


def test_where_all_agree_there_is_no_close_up_unless_autodiff_is_off() -> None:
    assert "The worst element" not in str(report(RIGHT))
    assert "autodiff  0.30000000000000004" in str(report(RIGHT, blame="autodiff"))


@fewer(4)
@given(finite, finite, finite)
def test_digits_line_up_and_none_are_lost(exact: float, yours: float, autodiff: float) -> None:
    texts = numerals.beside(Decimal(exact), [yours, autodiff], "float64")
    assert [float(text) for text in texts] == [exact, yours, autodiff]
    points = {re.split(r"[.e]|$", text)[0].__len__() for text in texts}
    assert len(points) == 1, texts


def test_the_exact_value_and_numbers_of_one_size() -> None:
    exact, yours = numerals.beside(Decimal(2).sqrt(), [2.0**0.5], "float64")
    assert (exact, yours) == ("1.4142135623730950488", "1.4142135623730951")
    assert numerals.beside(Decimal("1.2e-5"), [9.9e-6], "float64")[1].startswith("0.00000990")
    assert numerals.beside(Decimal("nan"), [math.inf, math.nan], "float64") == [
        *("not known", "      inf", "      nan")
    ]


@pytest.mark.parametrize(
    ("distance", "text"),
    [(0, "0"), (0.04, "0.0"), (9.96, "10.0"), (999.4, "999"), (1.44e12, "1.4e12"),
     (math.inf, "inf"), (math.nan, "-")],
)  # fmt: skip
def test_distances(distance: float, text: str) -> None:
    assert numerals.ulps(distance) == text


@pytest.mark.parametrize(
    ("other", "digits"), [(1.0, 17), (1.00023, 4), (0.9, 1), (2.0, 0), (1e9, -9), (math.nan, None)]
)
def test_right_digits(other: float, digits: int | None) -> None:
    assert numerals.right_digits(Decimal(1), other) == digits
    assert numerals.right_digits(Decimal(0), other) is None


def test_where_the_exact_value_is_not_known() -> None:
    unknown = leaf(verdict="undecidable", exact=Enclosure("nan", math.inf), ulps=math.nan)
    text = str(report(unknown, verdict="undecidable"))
    assert "exact     not known" in text
    assert re.search(r"params\['w'\] +\[0, 1\] +0.3 +not known +- ", text)
    estimate = leaf(verdict="imprecise", exact=Enclosure("0.3", 1e-9, certified=False))
    assert "not certified" in str(report(estimate, verdict="imprecise"))


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        ([3e-14], "A relative error of 3e-14 in any element of p0 would have been caught."),
        (
            [2e-15, 3e-14],
            "A relative error of 3e-14 in any element of p1 would have been caught, "
            "one of 2e-15 in p0.",
        ),
        (
            [2e-15, 3e-14, 1e-14, 4e-15],
            "A relative error of 3e-14 in any element would have been caught, "
            "in p0 even one of 2e-15.",
        ),
        ([math.nan, 0.0], ""),
    ],
)  # fmt: skip
def test_the_detection_limit(limits: list[float], sentence: str) -> None:
    leaves = tuple(leaf(f"p{i}", detection_limit=limit) for i, limit in enumerate(limits))
    assert closing.detection(leaves, "agree") == sentence


@pytest.mark.parametrize(
    ("verdict", "factor", "sentence"),
    [
        ("agree", 0.06, "Rounding in bfloat16 explains every error. One of 0.1 times {} 1.06 {}"),
        ("undecidable", 0.06, "An error in bfloat16 of 0.1 times {} 1.06 {}"),
        ("imprecise", 4.9e-4, "Rounding in bfloat16 explains every error. One of 0.1 {} 1.0005 {}"),
    ],
)
def test_the_detection_limit_of_a_short_format(verdict: str, factor: float, sentence: str) -> None:
    short_one = leaf("p", detection_limit=0.1, arithmetic="bfloat16", factor_limit=factor)
    said = re.escape(sentence).replace(re.escape("{}"), ".*")
    assert re.fullmatch(said, closing.detection((short_one,), verdict))


def test_findings_say_where_and_how_sure() -> None:
    guess = Finding("factor", "params", (), "twice the exact value", 0.9)
    whole = Finding("mutation", None, None, "the arguments are changed", 1.0)
    unknown = Finding("unknown", "params", (), "off by 0.1", 0.0)
    assert content.findings(wrong(observed=(ZERO, guess, whole, unknown)).reading) == [
        f"zero in params['w'][0, 1]: {ZERO.detail}",
        "factor in params: twice the exact value (confidence 0.9)",
        "mutation: the arguments are changed",
        "unknown in params: off by 0.1",
    ]


def test_what_the_headline_tells_is_not_told_twice() -> None:
    headline = f"disagree: params['w']: {ZERO.detail}"
    answer = wrong(headline=headline, observed=(ZERO, replace(ZERO, kind="unknown")))
    assert content.findings(answer.reading) == ["Kind: zero."]
    assert str(answer).count(ZERO.detail) == answer._repr_html_().count(ZERO.detail) == 1


def test_what_is_wrong_with_the_first_step_is_said_once() -> None:
    first, undecided = wrong(), report(verdict="undecidable", headline="the loss has a kink there")
    vars(first)["diagnoses"] = (Diagnosis("factor", "twice the exact value", ("params['w']",)),)
    for one, said in ((first, "Kind: factor."), (undecided, undecided.headline)):
        steps = StepsReport((StepReport("sq", one), StepReport("mean", report())))
        assert str(steps).count(said) == steps._repr_html_().count(said) == 1


def test_what_is_wrong_in_several_leaves_alike_is_said_of_each() -> None:
    """As of an exercise that has not been begun, which returns `...` for each argument."""
    what = "got ellipsis, expected an array"
    alike = tuple(Finding("structure", f"params[{i}]", (), what, 1.0) for i in range(2))
    found = wrong(observed=alike, headline=f"disagree: params[0]: {what}")
    assert content.findings(found.reading) == [
        "Kind: structure.",
        f"structure in params[1]: {what}",
    ]


def test_what_is_wrong_in_a_step_by_its_authors_names() -> None:
    leaves = [leaf(name, verdict="disagree" if name == "b" else "agree") for name in "xwb"]
    sign = Diagnosis("sign", "yours has the wrong sign in b", ("b",))
    closer = replace(report(*leaves).reading, diagnoses=(sign,))
    step = content.StepReading("affine_backward", "disagree", False)
    reading = replace(wrong().reading, steps=content.StepsReading((step,), (), closer))
    assert content.diagnoses(reading) == [
        "affine_backward is wrong, its only step that was judged. "
        "Kind: sign. Yours has the wrong sign in b."
    ]


def test_many_remarks_are_counted_and_what_was_left_out_is_said() -> None:
    text = str(wrong(observed=(ZERO,) * 9, warnings=("careful",) * 5))
    assert (text.count("zero in"), text.count("careful")) == (4, 4)
    assert "... and 5 more findings" in text
    assert "... and 1 more warnings" in text
    # What was left out is said.
    text = str(report(leaf(elements=100_352, judged=1000), points=1, dropped=2))
    text = " ".join(words(text))
    assert "1 point judged, 2 left out because the loss is not finite there" in text
    assert "1,000 of the 100,352 elements of params['w']" in text
    assert "at point 3:" in str(wrong(point=3))


def on_a_console(answer: GradientReport, colour: bool = False) -> str:
    out = io.StringIO()
    console = Console(
        file=out,
        width=80,
        force_terminal=colour,
        color_system="standard" if colour else None,
        legacy_windows=False,
    )
    console.print(answer)
    return out.getvalue()


def words(text: str) -> list[str]:
    return text.split()


def test_rich_says_the_same_words_in_colours() -> None:
    worst = leaf("params['[red]b']", BOB, yours=1.0)
    answer = wrong(worst, RIGHT, warnings=("[bold]markup[/bold] is text",))
    assert content.ordered(answer.reading)[0] is worst
    assert words(on_a_console(answer)) == words(str(answer))
    # Rich colours the verdict and underlines where digits part.
    text = on_a_console(wrong(), colour=True)
    assert text.startswith("\x1b[1;31mdisagree\x1b[0m")
    assert "1.591\x1b[4m4044194235999e-13" in text


class Tags(HTMLParser):
    """What is opened and closed, and what is said."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.styles: list[str] = []
        self.said = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.styles += [value or "" for name, value in attrs if name == "style"]
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said += data


def test_html_is_well_formed_and_says_the_same() -> None:
    answer = wrong(*(leaf(f"params[{i}]") for i in range(20)), warnings=("careful",))
    parsed = Tags(answer._repr_html_())
    assert parsed.open == []
    for said in ("1.5917677342738864232e-13", "... and 13 more leaves, all agree", "params[19]",
                 "Warning: careful", "zero in params['w'][0, 1]", "3e-14"):  # fmt: skip
        assert said in parsed.said


def test_html_aligns_and_indents_a_table_as_the_text_does() -> None:
    table = Table((("a", "1"), "  a remark", ("  b", "22")), ("what", "how many"), (1,), "  ")
    right = re.compile(r'<t([hd]) style="[^"]*text-align: right[^"]*">([^<]*)')
    for indent in ("", "  "):
        shown = html.as_html(Document((replace(table, indent=indent),)))
        assert right.findall(shown) == [("h", "how many"), ("d", "1"), ("d", "22")]
        assert f"margin-left: {len(indent)}ch" in shown
        # Spaces at the start are kept.
        cells = re.findall(r'<td[^>]* style="([^"]*)">  [ab]', shown)
        assert len(cells) == 2
        assert all("white-space: pre-wrap" in style for style in cells)


def test_html_escapes_what_comes_from_outside() -> None:
    bad = "<img src=x onerror='alert(1)'>&"
    found = Finding(bad, bad, None, f"{bad} in detail", 1.0)
    said = {"verdict": bad, "headline": f"{bad}: {bad}", "certificate": bad, "reproduce": bad}
    lists = {"observed": (found,), "warnings": (bad,)}
    answer = report(leaf(bad, dtype=bad, exact=Enclosure(bad, 0.0)), **said, **lists)
    parsed = Tags(answer._repr_html_())
    assert "img" not in answer._repr_html_().replace("&lt;img", "")
    assert parsed.said.count(bad) == 11


def contrast(a: str, b: str) -> float:
    """Of two colours, after WCAG 2."""

    def luminance(colour: str) -> float:
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_html_is_legible_on_light_and_dark() -> None:
    """A background of ours has a text colour of ours on it, and they contrast; nothing else has."""
    assert all(contrast(badge, "#ffffff") >= 4.5 for badge in html.BADGES.values())
    styles = Tags(wrong(BOB)._repr_html_()).styles
    assert any("#ffe08a" in style for style in styles)
    for style in styles:
        properties = {p.partition(":")[0].strip() for p in style.split(";")}
        coloured = "background: none" not in style and "background" in properties
        assert ("color" in properties) == coloured
