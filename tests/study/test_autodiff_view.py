"""What autodiff does, on the page: its tape against Python's numbers and JAX's program."""

import ast
import math
import sys
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
import pytest
from playwright.sync_api import Page, expect

import autodiff.article
from compare.traced.request import PassRequest
from study.tape import jaxpr, listing
from tests.compare.passes import NETWORKS, trace
from tests.study.browser import PHONE, At, choose, given, settle, state
from tests.tiers import one_of_each

#: Relative.
CLOSE = 1e-12

PRIMITIVES: dict[str, Any] = {
    "mul": lambda a, b: a * b,
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "square": lambda a: a * a,
    "logistic": lambda a: 1 / (1 + math.exp(-a)),
    "squeeze": lambda a: a[0],
}

#: Both tapes of the page: slopes by name, wrong ones with `isForgetful`; tangents of the loss;
#: values by JAX's equation; the shared weight by +=, by =, and nudged.
TAPE = """() => {
  const { study, state, point } = modules["main.js"].store;
  const { tapeOf, recorded, backward, forward } = modules["model/tape.js"];
  const { linked, quotient, shared } = modules["model/tape.js"];
  const { run } = modules["mathematics/mathematics.js"];
  const tape = tapeOf(study, state.form);
  const results = run(tape.program, point.given);
  const named = (slopes) =>
    Object.fromEntries(tape.given.map(({ at, name }) => [name, slopes.get(at)]));
  const both = shared(study, state.form);
  const one = both && recorded(both.program, study.loss);
  const values = both && run(both.program, point.given);
  const count = one?.computed.length;
  return {
    right: named(backward(tape, results)),
    forgetful: named(backward(tape, results, tape.computed.length, true)),
    nudged: Object.fromEntries(tape.given.map(({ at, name }) =>
      [name, quotient(tape, results, at)])),
    tangents: Object.fromEntries(study.parameters.map((name) =>
      [name, forward(tape, results, name).get(tape.end)])),
    autodiff: Object.fromEntries(study.parameters.map((name) =>
      [name, point.autodiff[study.gradients[name]]])),
    links: [...linked(study, tape)].map(([at, text]) => [text, results[at]]),
    names: tape.computed.map(({ at, name }) => [name ?? null, linked(study, tape).get(at) ?? null]),
    shared: both && [
      ...[false, true].map((of) => backward(one, values, count, of).get(both.weights[0])),
      quotient(one, values, both.weights[0]),
    ],
  };
}"""


VIEW = "autodiff"


def tape_of(page: Page) -> dict[str, Any]:
    return page.evaluate(TAPE)


def is_close(mine: float, theirs: float, bound: float = CLOSE) -> bool:
    return abs(mine - theirs) <= bound * max(abs(mine), abs(theirs))


def wrong(tape: dict[str, Any]) -> list[str]:
    """What a tape without the += gets wrong."""
    return [name for name, slope in tape["right"].items() if tape["forgetful"][name] != slope]


def evaluated(lines: list[dict[str, Any]], values: dict[str, Any]) -> dict[str, Any]:
    """The results of equations by their text, which is read as it stands."""
    values, results = dict(values), {}
    for line in lines:
        result, _, operation = line["text"].partition(" = ")
        primitive, *operands = operation.split()
        name, _, options = primitive.partition("[")
        if name == "slice":
            (start,) = ast.literal_eval(options.removesuffix("]").partition("=")[2])
            values[result] = values[operands[0]][start:]
        else:
            values[result] = PRIMITIVES[name](*(values[of] for of in operands))
        results[line["text"]] = values[result]
    return results


def test_the_jaxpr_is_of_autodiffs_loss() -> None:
    """Its text, run line by line, gives the loss of `autodiff.article`."""
    of = trace("the article's")
    params = {name: of.quantities[name].by_hand for name in of.parameters()}
    x, y = (of.quantities["x1"].by_hand, of.quantities["x2"].by_hand), of.quantities["y"].by_hand
    told = jaxpr(of)
    values = {letter: (params | {"x": x, "y": y})[name] for letter, name in told["given"]}
    *_, last = evaluated(told["lines"], values).values()
    with jax.enable_x64(True):
        loss = autodiff.article.loss(
            autodiff.article.Parameters(**params), np.asarray(x), np.float64(y)
        )
    assert is_close(last, float(loss))


@pytest.mark.parametrize("name", one_of_each(NETWORKS, ["classes"]))
def test_each_line_is_part_of_a_named_value(name: str) -> None:
    """As many lines as JAX counts, no letter twice; the layers come in order."""
    told = jaxpr(trace(name))
    letters = [line["text"].split()[0] for line in told["lines"]]
    letters += [letter for letter, _ in told["given"]]
    assert len(set(letters)) == len(letters)
    parts = list(dict.fromkeys(line["part_of"] for line in told["lines"]))
    known = {of.partition("[")[0] for of in trace(name).quantities}
    assert set(parts) <= known
    assert parts[0] in ("z0", "z1")
    assert parts[-1] == "L"


def test_the_listing_runs_and_has_one_line_that_adds() -> None:
    code = listing()
    assert [line.strip() for line in code.splitlines() if "+=" in line] == [
        "part.slope += one.slope * slope"
    ]
    known: dict[str, Any] = {}
    exec(code, known)
    a = known["Number"](3.0)
    known["backward"](last := known["square"](a) * a)
    assert (last.value, a.slope) == (27.0, 27.0)
    forgetful: dict[str, Any] = {}
    exec(code.replace("part.slope += ", "part.slope = "), forgetful)
    a = forgetful["Number"](3.0)
    forgetful["backward"](forgetful["square"](a) * a)
    assert a.slope != 27.0


#: Certified passes, and others.
POINTS = (
    "person=bob&seed=ones",
    "person=diana&seed=44&form=article",
    "person=alice&seed=7&edits=w1:0.3;x1:2",
)


@pytest.mark.slow
@pytest.mark.parametrize("fragment", POINTS)
def test_both_modes_are_autodiff(at: At, fragment: str) -> None:
    """Reverse and forward mode against JAX's own `jax.grad` at the page's point."""
    page = at(fragment)
    tape, of = tape_of(page), given(page)
    params = autodiff.article.Parameters(
        *(float(of[n]) for n in autodiff.article.Parameters._fields)
    )
    theirs = autodiff.article.gradient(
        params, np.array([of["x1"], of["x2"]], float), float(of["y"])
    )
    for name, slope in theirs._asdict().items():
        # Bob's σ' is 3e-14, from 1 - σ: an ulp of σ, by another exp, is 4e-3 of it.
        bound = CLOSE if "bob" not in fragment else 1e-2
        assert is_close(tape["right"][name], float(slope), bound), name
        assert is_close(tape["tangents"][name], tape["right"][name]), name
        assert is_close(tape["right"][name], tape["autodiff"][name], bound), name


@pytest.mark.slow
def test_the_tape_keeps_subnormal_numbers_as_pythons_does(at: At) -> None:
    """And not as JAX, which takes them for zero, and the page's witness for JAX with it."""
    page = at("seed=ones&edits=w5:1e-308;w6:1e-310")
    tape, of = tape_of(page), {name: float(number) for name, number in given(page).items()}
    python: dict[str, Any] = {}
    exec(listing(), python)
    params = {name: python["Number"](of[name]) for name in autodiff.article.Parameters._fields}
    one = SimpleNamespace(**params)

    def sigmoid(z: Any) -> Any:
        return 1.0 / (python["exp"](-z) + 1.0)

    h1 = sigmoid(one.w1 * of["x1"] + one.w2 * of["x2"] + one.b1)
    h2 = sigmoid(one.w3 * of["x1"] + one.w4 * of["x2"] + one.b2)
    ypred = sigmoid(one.w5 * h1 + one.w6 * h2 + one.b3)
    python["backward"](python["square"](python["number"](of["y"]) - ypred))
    theirs = autodiff.article.gradient(
        autodiff.article.Parameters(*(of[name] for name in params)),
        np.array([of["x1"], of["x2"]]),
        of["y"],
    )._asdict()
    small = [n for n, number in params.items() if 0 < abs(number.slope) < sys.float_info.min]
    assert small == ["w1", "w2", "w3", "w4", "b1", "b2"]
    for name, number in params.items():
        # A subnormal number has fewer digits than others.
        assert tape["right"][name] == pytest.approx(number.slope, rel=1e-9, abs=0), name
        flushed = 0 if name in small else pytest.approx(number.slope, rel=1e-9)
        assert float(theirs[name]) == flushed, name
        assert tape["autodiff"][name] == flushed, name
    expect(page.locator("#autodiff")).to_contain_text("keep numbers below 2.2·10⁻³⁰⁸")


@pytest.mark.slow
def test_each_entry_is_an_equation_of_jax(at: At) -> None:
    """And has the value that the equation has."""
    page = at("seed=44&person=charlie")
    tape, of = tape_of(page), given(page)
    told = page.evaluate("modules['main.js'].store.study.jaxpr")
    inputs = of | {"x": (of["x1"], of["x2"])}
    values = {letter: inputs[name] for letter, name in told["given"]}
    theirs = evaluated(told["lines"], values)
    assert len(tape["links"]) == len(tape["names"]) == 17
    for text, value in tape["links"]:
        assert is_close(value, theirs[text]), text


@pytest.mark.slow
def test_without_adding_only_what_is_used_twice_is_wrong(at: At) -> None:
    tape = tape_of(at("seed=44"))
    assert wrong(tape) == ["x1", "x2"]
    for name, slope in tape["right"].items():
        assert is_close(slope, tape["nudged"][name], 1e-7), name
    right, forgetful, nudged = tape["shared"]
    assert is_close(right, nudged, 1e-7)
    assert not is_close(forgetful, nudged, 0.01)


@pytest.mark.slow
def test_the_content_has_both(content: dict[str, Any]) -> None:
    assert content["jaxpr"] == jaxpr(PassRequest().trace())
    assert content["listing"] == listing()


@pytest.mark.slow
def test_it_opens_at_the_first_entry(at: At) -> None:
    """Unless the address says another one, as far as the mode goes."""
    for fragment, begins in (
        ("", "1 of 34 · Forward · #1"),
        ("tape=forward", "1 of 17 · Forward mode · #1"),
        ("entry=18", "18 of 34 · Backward · #17"),
        ("tape=forward&entry=18", "17 of 17 · Forward mode · #17"),
    ):
        title = at(fragment).locator("#autodiff .title").inner_text()
        assert title.startswith(begins)


@pytest.mark.slow
def test_stepping_fills_the_tape(at: At) -> None:
    """There from top to bottom, back from bottom to top; the page shows what is computed."""
    page = at("seed=44&entry=0")
    view = page.locator("#autodiff")
    values, slopes = view.locator("tbody .there"), view.locator("tbody .back")

    def filled() -> tuple[int, int]:
        texts = [[cell for cell in of.all_inner_texts() if cell] for of in (values, slopes)]
        return len(texts[0]), len(texts[1])

    assert filled() == (0, 0)
    view.get_by_role("button", name="Tape: one on").click()
    settle(page)
    assert state(page)["entry"] == 1
    assert filled() == (1, 0)
    choose(page, entry=18)
    assert filled() == (17, 2)
    expect(view.locator("tr[data-now=back] th")).to_have_text("17")
    choose(page, entry=33)
    expect(view.locator("[data-given=x1] .back")).to_contain_text("+ …")
    view.get_by_role("button", name="Tape: to its end").click()
    assert filled() == (17, 17)
    # Forward mode, by one parameter: each entry carries a slope.
    view.get_by_role("button", name="forward mode").click()
    assert (state(page)["tape"], state(page)["entry"]) == ("forward", 1)
    choose(page, parameter="w2", entry=17)
    (last,) = view.locator("tr[data-now] .there:nth-child(4)").all_inner_texts()
    assert is_close(float(last.replace("−", "-")), tape_of(page)["right"]["w2"], 1e-4)


@pytest.mark.slow
def test_it_plays_to_the_end_and_stops_where_the_reader_goes(at: At) -> None:
    page = at("seed=44&entry=32")
    player = page.locator("#autodiff .wide")
    player.click()
    page.evaluate("tick()")
    assert state(page)["entry"] == 33
    choose(page, entry=5)
    page.evaluate("tick()")
    assert state(page)["entry"] == 5
    expect(player).to_have_text("play")
    choose(page, entry=33)
    player.click()
    page.evaluate("tick()")
    assert state(page)["entry"] == 34
    expect(player).to_have_text("play")


@pytest.mark.slow
def test_the_forgotten_plus_is_seen_failing(at: At) -> None:
    page = at("seed=44&entry=34")
    view = page.locator("#autodiff")
    expect(view.locator(".forgotten")).to_be_hidden()
    expect(view.locator("[data-wrong=true]:visible")).to_have_count(0)
    view.get_by_role("button", name="forget the +=").click()
    settle(page)
    assert state(page)["plus"] is False
    expect(view.locator(".leaves [data-wrong=true]")).to_have_count(2)
    rows = view.locator(".forgotten tbody tr")
    assert [text[:2] for text in rows.locator("th").all_inner_texts()] == ["x1", "x2", "t,"]
    for row in rows.all():
        right, forgetful, nudged = row.locator("td").all_inner_texts()
        assert right == nudged
        assert forgetful != f"≠ {right}"
        assert forgetful.startswith("≠ ")


@pytest.mark.slow
def test_passes_are_counted(at: At) -> None:
    counts = "#autodiff .passes tbody tr td"
    texts = at().locator(counts).all_inner_texts()
    of_digits = f"{64 * 64 + 64 + 64 * 10 + 10:,}"
    assert texts[:5] == ["9", "1", "9", "10", "✓ 1"]
    assert texts[5:8] == [of_digits, "1", of_digits]


@pytest.mark.slow
def test_the_quiz_is_not_answered_here(at: At) -> None:
    page = at("quiz=1&seed=7")
    expect(page.locator("#autodiff table").first).to_be_hidden()
    expect(page.locator("#autodiff")).to_contain_text("The quiz asks")


@pytest.mark.slow
def test_the_address_holds_it(at: At) -> None:
    page = at("tape=forward&entry=12&plus=0", size=PHONE)
    assert [state(page)[key] for key in ("tape", "entry", "plus")] == ["forward", 12, False]
    read = """(address) =>
      modules["model/state.js"].fromAddress(modules["main.js"].store.study, address).unread"""
    for unread in ("tape=both", "entry=35", "entry=-1", "entry=1.5", "entry=", "plus=2"):
        assert page.evaluate(read, f"#{unread}") == [unread]
