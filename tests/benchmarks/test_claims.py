"""What docs/benchmarks.md and the README say of timings is so in the stored numbers."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import pytest

from benchmarks import names
from benchmarks.analysis.axes import axes, crossovers, exponent, fit
from benchmarks.analysis.factors import between, break_even, factors, gradient_cost, noise, verdict
from benchmarks.analysis.floors import dispatch_bound, fastest, over_floor
from benchmarks.checkers import results as checkers
from benchmarks.checkers.cases import MISTAKES as PLANTED
from benchmarks.checkers.contenders import OURS
from benchmarks.comparing import TIE, WORSE, compare
from benchmarks.document import (
    COSTLY,
    DOCUMENT,
    LARGE,
    README,
    SAMPLE,
    STORED,
    cell_of,
    counted,
    wide,
)
from benchmarks.document import time as seconds
from benchmarks.names import ARTICLE, DIFFERENCES, FLOATS, FORWARD, GRAD, HAND, HAND_JIT, C
from benchmarks.report import summary, units
from benchmarks.results import Cell, Results, Row
from benchmarks.statistics import FASTER, SLOWER, Interval, band, spread
from examples.released_mistakes import MISTAKES
from tests.benchmarks.sure import AGAIN, FIRST, SLOWED, row_of, sure

MILLION, MANY = "mass/1000000/float64/1", "batch-2-2-1/1048576/float64"
TRAINING, WIDTH, ONE = "training/1000/float64/1", "width/float32/1", "map/1024x1/float32/1"
W64, W1024, W4096 = (f"width/{size}/float32/1" for size in (64, 1024, 4096))

#: A number with a unit of what is measured: it must come from the results.
MEASURED = re.compile(
    r"\b\d[\d,]*(\.\d+)?\s?((ns|µs|ms|kB|MB|GB|GFLOP/s|times|calls|rows|minutes)\b|%)"
    r"|\b\d+\.\d\d+\b"
)

#: What the protocol is, and what is asked for.
NOT_OF_THE_RUN = ("95 %", "1.00")

#: A tie is meaningless if the noise, or the ratio's interval, reaches farther from 1 than this.
QUIET = 0.05


@dataclass
class Stored:
    """Queries on the stored results, which the text of the document is held to."""

    results: Results

    def cell(self, label: str) -> Cell:
        return cell_of(self.results, "/".join(label.split("/")[:4]))

    def row(self, label: str, name: str) -> tuple[Cell, Row]:
        cell = self.cell(label)
        return cell, row_of(cell, name)

    def axis(self, case: str) -> list[Cell]:
        return axes(self.results)[f"{case}/highest/cpu"]

    def time(self, label: str, name: str) -> str:
        return seconds(self.cell(label), name)

    def ratio(self, label: str, name: str, other: str) -> float:
        return sure(between(self.cell(label), name, other)).middle

    def times(self, label: str, name: str, other: str) -> str:
        return units.digits(self.ratio(label, name, other))

    def tax(self, label: str) -> float:
        return sure(factors(self.cell(label))).autodiff_tax.middle

    def gain(self, label: str) -> str:
        return f"{sure(factors(self.cell(label))).compiler_gain.middle:.3f}"

    def floor(self, label: str, name: str) -> Interval:
        return sure(over_floor(*self.row(label, name)))

    def median(self, label: str, name: str) -> float:
        return spread(self.row(label, name)[1].samples).median

    def untuned(self, label: str, name: str) -> float:
        return sure(self.row(label, name)[1].untuned)

    def without(self, label: str, name: str) -> str:
        """The time in a process that does not keep freed memory."""
        return units.seconds(self.untuned(label, name))

    def paid(self, label: str) -> str:
        """After how many calls compiling is recovered."""
        return units.many(sure(sure(break_even(self.cell(label))).calls))

    def memory(self, label: str, name: str) -> str:
        return units.size_in_bytes(sure(self.row(label, name)[1].peak_bytes))

    def fit(self, name: str) -> str:
        return summary.line(sure(fit(self.axis(WIDTH), name)))

    def slope(self, name: str, other: str) -> Interval:
        return sure(exponent(self.axis(WIDTH), name, other))

    def grows(self, name: str, other: str) -> str:
        found = self.slope(name, other)
        return f"{found.middle:.2f} ({found.low:.2f} to {found.high:.2f})"

    def count(self, label: str, operation: str, name: str) -> int:
        """How often a compiled program has an operation."""
        return self.row(label, name)[1].operations.get(operation, [0])[0]


def sentences(of: Stored) -> Iterator[str]:
    """Every piece of the document with measured numbers, as the stored results have it."""
    about, large = of.results.fingerprint, of.row(LARGE, GRAD)[0]
    caches = ", ".join(f"{name} {size}" for name, size in about["caches"].items())
    yield f"The machine: {about['processor']}, {about['processors']} processors; {caches}; "
    gone = ("mygrad", "micrograd")
    yield ", ".join(f"{name} {v}" for name, v in about["versions"].items() if name not in gone)
    yield f"has {len(of.results.cells)} cells"
    # The short answer
    hand, jit, grad = (of.time(LARGE, name) for name in (HAND, HAND_JIT, GRAD))
    library, alone = sure(fastest(large, names.PRODUCTS))
    yield f"in NumPy it takes {hand}, the hand lines compiled {jit}, `jax.grad` compiled {grad}."
    yield f"products alone take {units.seconds(float(np.median(alone)))} by {library}"
    taxes = [of.tax(label) for label in (W64, "width/256/float32/1", W1024, W4096)]
    yield f"64 examples it takes {min(taxes):.3f} to {max(taxes):.3f} of their time"
    yield f"are {of.gain(W64)} times as fast at 64 units a layer, {of.gain(W1024)} times at 1024"
    yield f"on Python floats, by hand, it takes {of.time(SAMPLE, FLOATS)}; on NumPy scalars "
    yield f"on NumPy scalars {of.time(SAMPLE, HAND)}; the article's own lines on those "
    yield f"lines on those {of.time(SAMPLE, ARTICLE)}; `jax.grad` compiled, on device arrays, "
    yield f"{of.time(SAMPLE, GRAD)}, most of which is the call; C {of.time(SAMPLE, C)}."
    slower, over_c = of.times(TRAINING, ARTICLE, GRAD), of.times(TRAINING, GRAD, C)
    yield f"takes {of.time(TRAINING, GRAD)} for 4000 updates, {slower} times as fast as the article"
    yield f"and {over_c} times as long as C"
    yield f"against NumPy by hand after {of.paid(W64)} calls at 64 units a layer, and never for"
    yield f"of the large network takes {of.without(LARGE, HAND)}, and a million"
    freed = of.without(MILLION, GRAD)
    yield f"by `jax.grad` {freed} instead of {of.time(MILLION, GRAD)}."
    # What is timed, and how
    product = f"{of.times(W64, HAND, GRAD)} = {of.gain(W64)} / {of.tax(W64):.3f}"
    yield f"At 64 units a layer: {product}."
    run = of.results.settings
    yield f"{run['rounds']} rounds over {run['processes']} processes"
    band_of_64 = units.percent(sure(noise(of.cell(W64))).high - 1)
    yield f"The difference is the noise, {band_of_64} at 64 units a layer"
    # The article's network
    yield f"nine numbers takes {of.time(SAMPLE, names.IDENTITY)} even if it does nothing"
    yield f"and take {of.times(SAMPLE, FLOATS, ARTICLE)} of the time of the article's"
    (crossing,) = crossovers(of.axis("batch-2-2-1/float64/1"), C, GRAD)
    at, low, high = (units.many(round(size)) for size in crossing.size)
    below, above = crossing.between
    yield f"{at} examples ({low} to {high}; measured at {below:,} and {above:,})"
    many = of.time(f"{MANY}/1", GRAD), of.time(f"{MANY}/1", HAND), of.time(f"{MANY}/1", C)
    yield f"`grad-jit` takes {many[0]}, NumPy {many[1]}, C, on one thread and example by example, "
    yield f"by example, {many[2]}; on all threads `grad-jit` takes {of.time(f'{MANY}/all', GRAD)}."
    million = [of.time(MILLION, name) for name in (GRAD, HAND_JIT, HAND)]
    yield "`grad-jit` {}, the hand lines compiled {}, NumPy {}.".format(*million)
    yield f"by a tax of {of.tax(MILLION):.3f}"
    divisions = [of.count(MILLION, "divide", n) for n in (HAND_JIT, names.HAND_JIT_ARTICLE, GRAD)]
    yield "{} instead of {} in the compiled program, as many as".format(*divisions)
    assert divisions[1] == divisions[2]
    article = of.times(MILLION, names.HAND_JIT_ARTICLE, GRAD)
    ours = of.times(MILLION, HAND_JIT, GRAD)
    yield f"take {article} times as long as `grad-jit` instead of {ours}."
    for operation, says in (
        ("exponential", "two exponentials so that none overflows, {} instead of {} in all"),
        ("multiply", "for each parameter: {} multiplications instead of {}."),
    ):
        two = (names.HAND_JIT_ARTICLE, GRAD)
        yield says.format(*(of.count(MILLION, operation, name) for name in two))
    yield f"`grad-jit` takes {freed} and NumPy {of.without(MILLION, HAND)}."
    yield f"in the same loop, take {of.times(TRAINING, HAND_JIT, GRAD)} times as long"
    article = of.times(TRAINING, names.HAND_JIT_ARTICLE, GRAD)
    yield f"the same lines take {article} times as long as `grad-jit`."
    # Other sizes
    yield f"all widths: `grad-jit` {of.fit(GRAD)}; `hand-numpy` {of.fit(HAND)}."
    ratios = [of.ratio(label, HAND, GRAD) for label in pairs(of)]
    yield f"It takes {min(ratios):.2f} to {max(ratios):.2f} times as long as `grad-jit`"
    met, hidden, missed = (taxes_of(of).count(word) for word in (True, None, False))
    yield f"1.00 within the noise in {met} of {met + hidden + missed}; in {hidden} more the noise"
    yield f"above {units.percent(QUIET)}, is too large to say, and in the other {missed} it is not"
    taxes = of.tax("map/256x1/float32/1"), of.tax(ONE)
    yield "the tax is {:.3f} at a width of 256 and {:.3f} at 1024.".format(*taxes)
    wide_one = of.without(W4096, GRAD), of.time(W4096, GRAD)
    yield f"NumPy takes {of.without(LARGE, HAND)} instead of {hand}, and at a width of 4096"
    yield "4096 `grad-jit` {} instead of {}.".format(*wide_one)
    weights = [of.memory(LARGE, name) for name in (HAND, HAND_JIT, GRAD)]
    yield "in NumPy {}, the hand lines compiled {}, `grad-jit` {}.".format(*weights)
    for width in (2, 64, 1024, 4096):
        cell = of.cell(f"width/{width}/float32/1")
        cost = sure(gradient_cost(cell)).middle
        yield f"| {width} | {sure(cell.expected_cost):.2f} | {cost:.2f} |"
    yield f"products alone take {of.times(W1024, names.PRODUCTS['jax.jit'], names.LOSS)} losses"
    yield f"the power of {of.grows(FORWARD, GRAD)} and {of.grows(DIFFERENCES, GRAD)}: more than 1"
    yield f"the power of {of.grows(GRAD, names.LOSS)}: reverse mode is nearly flat"
    # Compiling
    phases = of.row(W64, GRAD)[1].phases
    trace, lower, compiling = (units.seconds(phases[n]) for n in ("trace", "lower", "compile"))
    yield f"takes {trace} to trace, {lower} to lower and {compiling} to compile, "
    yield f"to compile, {units.seconds(sum(phases.values()))} with its first call."
    yield f"pays off after {of.paid(W64)} calls; at 1024 units after {of.paid(W1024)} calls."
    started = about["workers"]["1"]["seconds to start JAX"]
    yield f"without its import, takes {units.seconds(float(np.median(started)))}."
    # Aims
    for says, found in (
        ("one gradient, `hand-floats` / `article-lines` | at most 0.5", (SAMPLE, FLOATS, ARTICLE)),
        ("a training, `grad-jit` / `c` | at most 1.5", (TRAINING, GRAD, C)),
        ("a training, `article-lines` / `grad-jit` | at least 100", (TRAINING, ARTICLE, GRAD)),
        ("the large network, `hand-numpy` / floor | at most 1.05", (LARGE,)),
        ("the same in float64 | at most 1.05", ("digits/512/float64/1",)),
        ("the same in float32 on all threads | at most 1.05", ("digits/512/float32/all",)),
    ):
        label, *two = found
        ratio = sure(between(of.cell(label), *two)) if two else of.floor(label, HAND)
        middle, low, high = (f"{n:.3f}" if n < 10 else units.digits(n) for n in ratio)
        yield f"| {says} | {middle} | {low} to {high} |"
    # Two runs
    again, slowed = (compare(*map(Results.load, (FIRST, file))) for file in (AGAIN, SLOWED))
    yield f"the same again: {len(again.of(TIE))} of {len(again.changes)} rows are a tie"
    computing = [change for change in slowed.changes if not change.dispatch_bound]
    worse = sum(change.verdict == WORSE for change in computing)
    whole = f"{len(slowed.of(WORSE))} of all {len(slowed.changes)}"
    yield f"{worse} of {len(computing)} rows that are not mostly their call are worse, and {whole}"
    quick = Results.load(FIRST).settings["seconds"] / 60
    yield f"the quick set; {quick:.1f} minutes on this machine"


def pairs(of: Stored) -> list[str]:
    """The cells of width by batch."""
    return [
        f"map/{cell.size[0]}x{cell.size[1]}/float32/1"
        for cell in of.results.cells
        if cell.case == "map"
    ]


def taxes_of(of: Stored) -> list[bool | None]:
    """Whether the tax of wide networks is 1; None where the noise is too large to say."""
    found: list[bool | None] = []
    for cell in wide(of.results):
        hidden, tax = noise(cell), between(cell, GRAD, HAND_JIT)
        if hidden and tax:
            quiet = max(hidden.high, band(tax).high) <= 1 + QUIET
            tie = verdict(cell, HAND_JIT) == TIE
            # A difference beyond the noise counts, however large the noise.
            found.append(None if tie and not quiet else tie)
    return found


def text_of(path: Path) -> str:
    """A document in one line."""
    return " ".join(path.read_text(encoding="utf-8").split())


@pytest.fixture(scope="module")
def stored() -> Stored:
    return Stored(Results.load(STORED))


def test_every_measured_number_is_that_of_the_results(stored: Stored) -> None:
    """Only tables are filled in; what is amiss is shown as it should be."""
    text = re.sub(r"<!-- table: .*?<!-- end -->", "", text_of(DOCUMENT))
    expected = [sentence.strip() for sentence in sentences(stored)]
    assert [sentence for sentence in expected if sentence not in text] == []
    held = [found.span() for says in expected for found in re.finditer(re.escape(says), text)]
    typed = {
        found[0]
        for found in MEASURED.finditer(text)
        if not any(start <= found.start() and found.end() <= end for start, end in held)
    }
    assert typed <= {*NOT_OF_THE_RUN}
    assert MEASURED.search("takes 28 ms")


#: A sentence of the document, and what the numbers must be for it to stand.
CLAIMS: dict[str, Callable[[Stored], bool]] = {
    "There, by hand pays": lambda of: (
        of.ratio(SAMPLE, FLOATS, GRAD) < 0.5 and of.ratio(SAMPLE, FLOATS, ARTICLE) < 1
    ),
    "most of which is the call": lambda of: dispatch_bound(*of.row(SAMPLE, GRAD)),
    "The processor decides": lambda of: all(
        of.floor(LARGE, name).middle < 1.25 for name in (HAND, HAND_JIT, GRAD)
    ),
    "Autodiff costs no more than the same lines by hand": lambda of: all(
        of.tax(cell.label) < 1.03
        for cell in wide(of.results)
        if factors(cell) and cell.about["batch"] > 1
        if cell.threads == "1"
    ),
    "with one example, autodiff pays": lambda of: (
        of.tax("map/256x1/float32/1") > 1.2 and of.tax(ONE) > 1.5
    ),
    "All of these times are of freed memory that is kept": lambda of: all(
        of.untuned(MILLION, name) > 1.2 * of.median(MILLION, name) for name in (HAND, GRAD)
    ),
    "mostly the price of the digits": lambda of: (
        of.ratio(MILLION, HAND_JIT, names.HAND_JIT_ARTICLE)
        > of.ratio(MILLION, names.HAND_JIT_ARTICLE, GRAD)
    ),
    "against Python floats never": lambda of: verdict(of.cell(SAMPLE), FLOATS, GRAD) == FASTER,
    "nearly all of whose time is the fixed part": lambda of: all(
        sure(fit(of.axis(WIDTH), GRAD)).fixed > 0.9 * of.median(f"width/{size}/float32/1", GRAD)
        for size in (2, 8, 16)
    ),
    "are the slower ones": lambda of: (
        of.tax(MILLION) < 1 / of.ratio(MILLION, names.HAND_JIT_ARTICLE, GRAD) < 1
    ),
    "XLA compiles a loop as one piece": lambda of: (
        [
            "call" in of.row(TRAINING, name)[1].operations
            for name in (HAND_JIT, names.HAND_JIT_ARTICLE, GRAD)
        ]
        == [False, True, True]
    ),
    "is mapped again and again": lambda of: all(
        of.untuned(label, name) > 1.05 * of.median(label, name)
        for label, name in ((LARGE, HAND), (W4096, GRAD))
    ),
    "has more to write": lambda of: (
        of.ratio(W1024, names.PRODUCTS["jax.jit"], names.LOSS)
        > 1.05 * sure(of.cell(W1024).expected_cost)
    ),
    "`grad-public` is below that floor": lambda of: of.floor(SAMPLE, names.PUBLIC).high < 1,
    "`grad-jit` is nowhere slower than `hand-numpy`": lambda of: all(
        verdict(cell, HAND, GRAD) in (SLOWER, TIE) for cell in of.axis("batch-2-2-1/float64/1")
    ),
    "`grad-jit` is nowhere the slower one": lambda of: all(
        verdict(cell, HAND, GRAD) in (SLOWER, TIE) for cell in of.axis(WIDTH)
    ),
    "sixteen pairs of a width from 4 to 1024 and a batch from 1 to 512, `hand-numpy` is the": (
        lambda of: (
            (len(pairs(of)), pairs(of)[0], pairs(of)[15])
            == (16, "map/4x1/float32/1", "map/1024x512/float32/1")
            and all(of.ratio(label, HAND, GRAD) > 1 for label in pairs(of))
            and min(pairs(of), key=lambda label: of.ratio(label, HAND, GRAD)) == pairs(of)[-1]
        )
    ),
    "The two more `dot`s": lambda of: (
        of.count(W64, "dot", HAND_JIT) == of.count(W64, "dot", GRAD) + 2
    ),
    "reverse mode is nearly flat": lambda of: (
        abs(of.slope(GRAD, names.LOSS).middle) < 0.15
        and of.slope(FORWARD, GRAD).middle > 0.5
        and of.slope(DIFFERENCES, GRAD).middle > 0.5
    ),
}


@pytest.mark.parametrize("sentence", CLAIMS)
def test_a_sentence_is_so_in_the_numbers(stored: Stored, sentence: str) -> None:
    assert sentence in text_of(DOCUMENT)
    assert CLAIMS[sentence](stored)


def test_every_tax_that_is_not_1_has_its_reason(stored: Stored) -> None:
    """The hand lines compute more, or `jax.grad` moves arrays as large as a weight matrix."""
    for cell in wide(stored.results):
        tax = between(cell, GRAD, HAND_JIT)
        if tax and noise(cell) and verdict(cell, HAND_JIT) != TIE:
            more = {name: int(np.subtract(*counted(cell, name))) for name in COSTLY}
            if tax.middle < 1:
                assert tax.middle > 0.8
                assert max(more[name] for name in ("dot", "exponential", "divide")) > 0
            else:
                assert cell.about["batch"] == 1
                assert more["copy"] == more["transpose"] == -1
                moves = row_of(cell, GRAD).operations
                least = cell.about["sizes"][1] ** 2
                assert min(moves[name][1] for name in ("copy", "transpose")) >= least


def test_the_readme_says_what_is_so(stored: Stored) -> None:
    text = text_of(README)
    assert "for one tiny gradient only C beats floats" in text
    sample = stored.cell(SAMPLE)
    least = {row.name: min(map(min, row.samples)) for row in sample.timed("contender")}
    assert sorted(least, key=lambda name: least[name])[:2] == [names.C, names.FLOATS]
    assert "Compiled, autodiff costs no more than hand lines" in text
    assert CLAIMS["Autodiff costs no more than the same lines by hand"](stored)


def test_the_readme_says_how_long_checks_take() -> None:
    text = text_of(README)
    assert "takes 0.03 to 0.3 seconds up to a thousand parameters" in text
    assert "parameters, from nine at 100,000, longer with" in text
    assert "explaining a wrong one, about a second" in text
    asked, timed = (
        [check for check in found.checks if check.contender == OURS]
        for found in map(checkers.Results.load, map(checkers.stored, ("gradients", "sized")))
    )
    explained = median(check.seconds for check in asked if check.part == PLANTED)
    assert 0.5 < explained < 1.5
    # Dense networks, which are called by their sizes, at nine points.
    dense = [c for c in timed if c.subject[0].isdigit() and "one" not in c.subject]
    small = [call.seconds for call in dense if call.elements < 1000]
    assert (round(min(small), 2), round(max(small), 1)) == (0.03, 0.3)
    assert round(median(call.seconds for call in dense if call.elements == 101_770)) == 9
    others = [check.seconds for check in timed if not check.subject[0].isdigit()]
    assert min(others) > max(small)


def test_the_readme_counts_the_wrong_derivatives() -> None:
    assert f"[{len(MISTAKES)} wrong derivatives]" in README.read_text(encoding="utf-8")


def test_two_counts_of_the_work_agree(stored: Stored) -> None:
    """XLA's own of the compiled gradient, and the formula's of its products: some more is right.

    With one example a product xᵀ·dz has nothing to add, a sixth of the formula's operations.
    """
    compared = 0
    for cell in stored.results.cells:
        counted = stored.row(cell.label, names.GRAD)[1].counted_flops
        if counted is not None and cell.flops is not None and cell.about["sizes"] != [2, 2, 1]:
            least = 1 if cell.about["batch"] > 1 else 5 / 6
            assert 0.99 * least <= counted / cell.flops < 1.3, cell.label
            compared += 1
    assert compared > 30
