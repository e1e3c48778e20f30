"""What docs/benchmarks.md and the README say of timings is so in the stored numbers."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import pytest

from benchmarks import analysis, names
from benchmarks.checkers import results as checkers
from benchmarks.checkers.cases import MISTAKES as PLANTED
from benchmarks.checkers.contenders import OURS
from benchmarks.comparing import TIE, WORSE, compare
from benchmarks.document import CHECKING, DOCUMENT, LARGE, README, SAMPLE, STORED, cell_of
from benchmarks.document import time as seconds
from benchmarks.names import FLOATS, GRAD, HAND, HAND_JIT, C
from benchmarks.report import units, whole
from benchmarks.results import Cell, Results, Row
from benchmarks.statistics import FASTER, SLOWER, Interval, band, typical
from examples.released_mistakes import MISTAKES
from tests.benchmarks.sure import AGAIN, FIRST, SLOWED, row_of, sure

TRAINING, MILLION = "training/1000/float64/1", "mass/1000000/float64/1"
WIDTH, ONE = "width/float32/1", "map/1024x1/float32/1"

#: What cells are called in the table of sentences.
CELLS = {"SAMPLE": SAMPLE, "TRAINING": TRAINING, "MILLION": MILLION, "LARGE": LARGE}
CELLS |= {f"W{size}": f"width/{size}/float32/1" for size in (2, 64, 256, 1024, 4096)}

#: From so many units a layer on both derivatives should take the same time.
WIDE = 64

#: The operations of compiled programs that explain why they do not.
COSTLY = ("dot", "exponential", "divide", "copy", "transpose")

#: A number with a unit of what is measured: it must come from the results.
MEASURED = re.compile(
    r"\b\d[\d,]*(\.\d+)?\s?((ns|µs|ms|kB|MB|GB|GFLOP/s|times|calls|rows|minutes)\b|%)"
    r"|\b\d+\.\d\d+\b"
)

#: What the protocol is, and what is asked for.
NOT_OF_THE_RUN = ("95 %", "1.00")

#: A tie is meaningless if the noise, or the ratio's interval, reaches farther from 1 than this.
QUIET = 0.05

#: Every piece of docs/benchmarks.md with measured numbers; in braces, what of which cell and rows
#: (`QUERIES`), or a number of the whole run (`numbers`).
SENTENCES = """
The machine: {machine};
{versions}
has {cells} cells
64 examples it takes {taxes} of their time
are {gain W64} times as fast at 64 units a layer, {gain W1024} times at 1024
takes {time SAMPLE hand-floats} by hand on Python floats, {time SAMPLE c} in C, and
in C, and {time SAMPLE grad-jit} by `jax.grad`, most of which is the call
takes {time TRAINING grad-jit} for 4000 updates, {ratio TRAINING article-lines grad-jit} times as
times as fast as the article's loop, and {ratio TRAINING grad-jit c} times as long as C
against NumPy by hand after {calls W64} calls at 64 units a layer, and never for
of the large network takes {untuned LARGE hand-numpy}, and a million
by `jax.grad` {untuned MILLION grad-jit} instead of {time MILLION grad-jit}.
At 64 units a layer: {ratio W64 hand-numpy grad-jit} = {gain W64} / {tax W64}.
{rounds}
The difference is the noise, {noise W64} at 64 units a layer
nine numbers takes {time SAMPLE jitted-identity} even if it does nothing
and take {ratio SAMPLE hand-floats article-lines} of the time of the article's
{crossing}
`grad-jit` takes {time batch-2-2-1/1048576/float64/1 grad-jit}, NumPy
NumPy {time batch-2-2-1/1048576/float64/1 hand-numpy}, C, on one thread and example by example,
by example, {time batch-2-2-1/1048576/float64/1 c}; on all threads `grad-jit` takes
on all threads `grad-jit` takes {time batch-2-2-1/1048576/float64/all grad-jit}.
`grad-jit` {time MILLION grad-jit}, the hand lines compiled {time MILLION hand-jit}, NumPy
the hand lines compiled {time MILLION hand-jit}, NumPy {time MILLION hand-numpy}.
by a tax of {tax MILLION}
{count MILLION divide hand-jit} instead of {count MILLION divide hand-jit-article} in the compiled
{count MILLION divide grad-jit} in the compiled program, as many as
take {ratio MILLION hand-jit-article grad-jit} times as long as `grad-jit` instead of
as `grad-jit` instead of {ratio MILLION hand-jit grad-jit}.
two exponentials so that none overflows, {count MILLION exponential hand-jit-article} instead of
instead of {count MILLION exponential grad-jit} in all
for each parameter: {count MILLION multiply hand-jit-article} multiplications instead of
multiplications instead of {count MILLION multiply grad-jit}.
in the same loop, take {ratio TRAINING hand-jit grad-jit} times as long
the same lines take {ratio TRAINING hand-jit-article grad-jit} times as long as `grad-jit`.
all widths: `grad-jit` {fit grad-jit}; `hand-numpy` {fit hand-numpy}.
It takes {pairs} times as long as `grad-jit`
1.00 within the noise in {ties}
Of these, {below}, and {above}.
they have more exponentials and divisions, {costly hand-jit} in the deepest network
`jax.grad`, with {costly grad-jit}, takes
On all threads `grad-jit` takes {time digits/512/float32/all grad-jit}, and `hand-numpy`
stay on one thread, {time digits/512/float32/all hand-numpy}.
4096 `grad-jit` takes {untuned W4096 grad-jit} instead of {time W4096 grad-jit}.
At its peak a call holds, beyond what is held between calls, {memory LARGE hand-numpy} by hand
the hand lines compiled {memory LARGE hand-jit}, `grad-jit` {memory LARGE grad-jit}.
| 2 | {expected W2} | {ratio W2 grad-jit loss-jit} |
| 64 | {expected W64} | {ratio W64 grad-jit loss-jit} |
| 1024 | {expected W1024} | {ratio W1024 grad-jit loss-jit} |
| 4096 | {expected W4096} | {ratio W4096 grad-jit loss-jit} |
products alone take {ratio W1024 products-jit loss-jit} losses
the power of {grows forward-mode grad-jit} and {grows central-differences grad-jit}.
the power of {grows grad-jit loss-jit}: reverse mode is nearly flat
takes {phase trace} to trace, {phase lower} to lower and {phase compile} to compile,
to compile, {first} with its first call.
At 1024 units this pays off against NumPy by hand after {calls W1024} calls.
without its import, takes {started}.
the same again: {again} rows are a tie
{slowed}
the quick set; {minutes} minutes on this machine
"""


@dataclass
class Stored:
    """Numbers of the stored results, which the text of the document is held to."""

    results: Results

    def cell(self, label: str) -> Cell:
        return cell_of(self.results, "/".join(CELLS.get(label, label).split("/")[:4]))

    def row(self, label: str, name: str) -> tuple[Cell, Row]:
        cell = self.cell(label)
        return cell, row_of(cell, name)

    def axis(self, case: str) -> list[Cell]:
        return analysis.axes(self.results)[f"{case}/highest/cpu"]

    def ratio(self, label: str, name: str, other: str) -> float:
        return sure(analysis.between(self.cell(label), name, other)).middle

    def tax(self, label: str) -> float:
        return self.ratio(label, GRAD, HAND_JIT)

    def count(self, label: str, operation: str, name: str) -> int:
        """How often a compiled program has an operation."""
        return self.row(label, name)[1].operations.get(operation, [0])[0]


def grown(found: Interval) -> str:
    return f"{found.middle:.2f} ({found.low:.2f} to {found.high:.2f})"


#: How numbers of a cell, or along the width, are written.
QUERIES: dict[str, Callable[..., object]] = {
    "time": lambda of, cell, name: seconds(of.cell(cell), name),
    "ratio": lambda of, *words: units.digits(of.ratio(*words)),
    "gain": lambda of, cell: f"{of.ratio(cell, HAND, HAND_JIT):.3f}",
    "tax": lambda of, cell: f"{of.tax(cell):.3f}",
    "noise": lambda of, cell: units.percent(sure(analysis.noise(of.cell(cell))) - 1),
    "untuned": lambda of, *words: units.seconds(sure(of.row(*words)[1].untuned)),
    "calls": lambda of, cell: units.many(sure(sure(analysis.break_even(of.cell(cell)))[1])),
    "memory": lambda of, *words: units.size_in_bytes(sure(of.row(*words)[1].peak_bytes)),
    "expected": lambda of, cell: f"{sure(of.cell(cell).expected_cost):.2f}",
    "count": lambda of, *words: of.count(*words),
    "costly": lambda of, name: " and ".join(
        str(of.count("depth/32/float32/1", each, name)) for each in ("exponential", "divide")
    ),
    "fit": lambda of, name: whole.line(sure(analysis.fit(of.axis(WIDTH), name))),
    "grows": lambda of, *words: grown(sure(analysis.exponent(of.axis(WIDTH), *words))),
    "phase": lambda of, phase: units.seconds(of.row("W64", GRAD)[1].phases[phase]),
}


def numbers(of: Stored) -> dict[str, object]:
    """The numbers of the whole run, and of two runs."""
    about = of.results.about
    versions = (v for v in about["versions"].items() if v[0] not in ("mygrad", "micrograd"))
    taxes = [of.tax(label) for label in ("W64", "W256", "W1024", "W4096")]
    parted = sorted(of.tax(cell.label) for cell in unequal(of))
    small, large = ([t for t in parted if (t < 1) == below] for below in (True, False))
    ratios = [of.ratio(label, HAND, GRAD) for label in pairs(of)]
    (crossing,) = analysis.crossovers(of.axis("batch-2-2-1/float64/1"), C, GRAD)
    at, low, high = (units.many(round(size)) for size in crossing.size)
    below, above = crossing.between
    met, hidden, missed = (taxes_of(of).count(word) for word in (True, None, False))
    again, slowed = (compare(*map(Results.load, (FIRST, file))) for file in (AGAIN, SLOWED))
    computing = [change for change in slowed.changes if not change.dispatch_bound]
    worse = sum(change.verdict == WORSE for change in computing)
    return {
        "machine": f"{about['processor']}, {about['processors']} processors",
        "versions": ", ".join(f"{name} {version}" for name, version in versions),
        "cells": len(of.results.cells),
        "taxes": f"{min(taxes):.3f} to {max(taxes):.3f}",
        "rounds": f"{about['rounds']} rounds over {about['processes']} processes",
        "crossing": f"{at} examples ({low} to {high}; measured at {below:,} and {above:,})",
        "pairs": f"{min(ratios):.2f} to {max(ratios):.2f}",
        "ties": f"{met} of {met + hidden + missed}; in {hidden} more the noise, above "
        f"{units.percent(QUIET)}, is too large to say, and in the other {missed} it is not",
        "below": f"{len(small)} have a tax of {small[0]:.3f} to {small[-1]:.3f}",
        "above": f"{len(large)}, with one example, of {large[0]:.3f} to {large[-1]:.3f}",
        "first": units.seconds(sum(of.row("W64", GRAD)[1].phases.values())),
        "started": units.seconds(median(about["workers"]["1"]["seconds to start JAX"])),
        "again": f"{len(again.of(TIE))} of {len(again.changes)}",
        "slowed": f"{worse} of {len(computing)} rows that are not mostly their call are worse, and "
        f"{len(slowed.of(WORSE))} of all {len(slowed.changes)}",
        "minutes": f"{Results.load(FIRST).about['seconds'] / 60:.1f}",
    }


def sentences(of: Stored) -> list[str]:
    """Every piece of the document with measured numbers, as the stored results have it."""
    whole = numbers(of)

    def number(query: re.Match[str]) -> str:
        what, *words = query[1].split()
        return str(QUERIES[what](of, *words) if words else whole[what])

    return re.sub(r"\{(.*?)\}", number, SENTENCES).strip().splitlines()


def pairs(of: Stored) -> list[str]:
    """The cells of width by batch."""
    return [
        f"map/{cell.size[0]}x{cell.size[1]}/float32/1"
        for cell in of.results.cells
        if cell.case == "map"
    ]


def wide(results: Results) -> Iterator[Cell]:
    """The cells with at least `WIDE` units in the narrowest hidden layer."""
    return (cell for cell in results.cells if min(cell.about["sizes"][1:-1]) >= WIDE)


def unequal(of: Stored) -> list[Cell]:
    """Those of them in which the two derivatives do not take the same time."""
    return [c for c in wide(of.results) if analysis.verdict(c, HAND_JIT) in (FASTER, SLOWER)]


def taxes_of(of: Stored) -> list[bool | None]:
    """Whether the tax of wide networks is 1; None where the noise is too large to say."""
    found: list[bool | None] = []
    for cell in wide(of.results):
        hidden, tax = analysis.noise(cell), analysis.between(cell, GRAD, HAND_JIT)
        if hidden and tax:
            quiet = max(hidden, band(tax)) <= 1 + QUIET
            tie = analysis.verdict(cell, HAND_JIT) == TIE
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
    expected = sentences(stored)
    assert [sentence for sentence in expected if sentence not in text] == []
    held = [found.span() for says in expected for found in re.finditer(re.escape(says), text)]
    typed = {
        found[0]
        for found in MEASURED.finditer(text)
        if not any(start <= found.start() and found.end() <= end for start, end in held)
    }
    assert typed <= {*NOT_OF_THE_RUN}
    assert MEASURED.search("takes 28 ms")


#: A sentence of the document that has no number, and what the numbers must be for it to stand.
CLAIMS: dict[str, Callable[[Stored], bool]] = {
    "most of which is the call": lambda of: analysis.dispatch_bound(*of.row(SAMPLE, GRAD)),
    "Autodiff costs no more than the same lines by hand": lambda of: all(
        of.tax(cell.label) < 1.03
        for cell in wide(of.results)
        if cell.times(HAND_JIT) and cell.about["batch"] > 1
        if cell.threads == "1"
    ),
    "against Python floats never": lambda of: (
        analysis.verdict(of.cell(SAMPLE), FLOATS, GRAD) == FASTER
    ),
    "nearly all of whose time is the fixed part": lambda of: all(
        sure(analysis.fit(of.axis(WIDTH), GRAD)).fixed
        > 0.9 * typical(of.row(f"width/{size}/float32/1", GRAD)[1].samples)
        for size in (2, 8, 16)
    ),
    "XLA compiles a loop as one piece": lambda of: (
        [
            "call" in of.row(TRAINING, name)[1].operations
            for name in (HAND_JIT, names.HAND_JIT_ARTICLE, GRAD)
        ]
        == [False, True, True]
    ),
    "`grad-public` is below that floor": lambda of: (
        sure(analysis.over_floor(*of.row(SAMPLE, names.PUBLIC))).high < 1
    ),
    "`grad-jit` is nowhere slower than `hand-numpy`": lambda of: all(
        analysis.verdict(cell, HAND, GRAD) in (SLOWER, TIE)
        for axis in ("batch-2-2-1/float64/1", WIDTH)
        for cell in of.axis(axis)
    ),
    "sixteen pairs of a width from 4 to 1024 and a batch from 1 to 512, `hand-numpy` is the": (
        lambda of: (
            (len(pairs(of)), pairs(of)[0], pairs(of)[15])
            == (16, "map/4x1/float32/1", "map/1024x512/float32/1")
            and all(of.ratio(label, HAND, GRAD) > 1 for label in pairs(of))
            and min(pairs(of), key=lambda label: of.ratio(label, HAND, GRAD)) == pairs(of)[-1]
        )
    ),
}


@pytest.mark.parametrize("sentence", CLAIMS)
def test_a_sentence_is_so_in_the_numbers(stored: Stored, sentence: str) -> None:
    assert sentence in text_of(DOCUMENT)
    assert CLAIMS[sentence](stored)


def test_every_tax_that_is_not_1_has_its_reason(stored: Stored) -> None:
    """The hand lines compute more, or `jax.grad` moves arrays as large as a weight matrix."""
    for cell in unequal(stored):
        hand_jit, grad = (row_of(cell, name).operations for name in (HAND_JIT, GRAD))
        more = {name: hand_jit.get(name, [0])[0] - grad.get(name, [0])[0] for name in COSTLY}
        if stored.tax(cell.label) < 1:
            assert stored.tax(cell.label) > 0.8
            assert max(more[name] for name in ("dot", "exponential", "divide")) > 0
        else:
            assert cell.about["batch"] == 1
            assert more["copy"] == more["transpose"] == -1
            least = cell.about["sizes"][1] ** 2
            assert min(grad[name][1] for name in ("copy", "transpose")) >= least


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
    assert "parameters and nine at 100,000, longer with" in text
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
    assert "alone (`points=0`), later checks of 784-512-512-10, 128 took 8.9" in text_of(CHECKING)
    alone = [c for c in timed if c.subject == "784-512-512-10, 128, one point"]
    assert round(median(call.seconds for call in alone if call.call), 1) == 8.9


def test_the_readme_counts_the_wrong_derivatives() -> None:
    assert f"[{len(MISTAKES)} wrong derivatives]" in README.read_text(encoding="utf-8")
