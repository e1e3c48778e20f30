"""The timing of a network's gradient: right answers are timed, wrong ones get no time."""

import json
import statistics
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import jax
import numpy as np
import pytest

import manual.network
from benchmarks import layers, network_timings, rounds
from benchmarks.deviation import AtAKinkError
from benchmarks.gate import Answer, Gate, Point, gate, point
from benchmarks.network_contenders import CONTENDERS, FLOORS, GRAD, HAND, HAND_JITTED, products
from benchmarks.network_timings import AGAIN, Timings, measure
from manual.affine import Layer
from manual.network import Network

pytestmark = pytest.mark.slow

NETWORK = Network((7, 11, 5, 3), activation="relu", loss="softmax-ce")
BATCH = 13
ROWS = [*FLOORS.values(), *CONTENDERS, AGAIN]
SMALL = ["--sizes", "7-11-5-3", "--batch", "13", "--rounds", "3"]


@pytest.fixture(scope="module")
def here() -> Point:
    return point(NETWORK, BATCH)


@pytest.fixture(scope="module")
def judge(here: Point) -> Gate:
    return gate(here)


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short samples, and the tests' own process keeps its memory as it was."""
    monkeypatch.setattr(rounds, "SAMPLE_SECONDS", 1e-4)
    monkeypatch.setattr(rounds, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(layers, "keep_freed_memory", lambda: True)


@pytest.fixture
def same_gate(monkeypatch: pytest.MonkeyPatch, judge: Gate) -> None:
    """It takes seconds to make."""
    monkeypatch.setattr(network_timings, "gate", lambda _: judge)


def right(here: Point) -> Answer:
    return manual.network.value_and_gradient(here.network, here.params, here.x, here.y)


def without(what: str, here: Point) -> Answer:
    """A gradient with one mistake, of the kinds that are made by hand."""
    loss, grads = right(here)
    w, b = grads[1]
    w = w.copy()
    typical = np.argsort(np.abs(w), axis=None)[w.size // 2]
    if what == "a sign":
        w.flat[typical] *= -1
    elif what == "an element":
        w.flat[typical] = 0
    elif what == "1/B":
        return loss, [Layer(w * BATCH, b * BATCH) for w, b in grads]
    elif what == "1/B of one bias":
        b = b * BATCH
    elif what == "a number":
        b = np.where(np.arange(b.size) == 2, np.float32(np.nan), b)
    elif what == "digits":
        w = w.astype(np.float16).astype(np.float32) * np.float32(1.01)
    return loss, [grads[0], Layer(w, b), grads[2]]


MISTAKES = ["a sign", "an element", "1/B", "1/B of one bias", "a number", "digits"]


def test_the_gate_lets_every_contender_through(here: Point, judge: Gate) -> None:
    assert judge.sees() > 0.9
    for name, make in CONTENDERS.items():
        answer = make(here)()
        assert judge.complaint(answer) == "", name
        assert 0 < judge.share(answer) < 0.5


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_does_not_pass(here: Point, judge: Gate, what: str) -> None:
    assert judge.complaint(without(what, here)).startswith(("dw of layer", "db of layer"))


def test_w_for_its_transpose_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the backward pass alone, where the shapes still fit: a square w."""
    there = point(Network((7, 5, 5, 3), activation="relu", loss="softmax-ce"), BATCH)
    judge = gate(there)
    assert judge.complaint(right(there)) == ""
    monkeypatch.setattr(
        manual.network,
        "affine_backward_inputs",
        lambda dz, cache: dz @ (cache.w if cache.w.shape == (5, 5) else cache.w.T),
    )
    assert judge.complaint(right(there)).startswith("dw of layer 1")
    # The hand lines are a witness of the truth as well; then nobody is let through.
    assert "the float64 witnesses disagree: dw of layer 1" in gate(there).complaint(right(there))


def test_a_wrong_form_does_not_pass(here: Point, judge: Gate) -> None:
    loss, grads = right(here)
    assert "expected 7" in judge.complaint((loss, grads[:2]))
    double = [Layer(w.astype(np.float64), b) for w, b in grads]
    assert "got float64 of shape (7, 11)" in judge.complaint((loss, double))
    turned = [Layer(grads[0].w.T, grads[0].b), *grads[1:]]
    assert "got float32 of shape (11, 7)" in judge.complaint((loss, turned))
    assert judge.complaint((loss * np.float32(1.001), grads)).startswith("the loss: got")


def test_biases_keep_away_from_kinks(here: Point) -> None:
    w, _ = here.params[0]
    z = here.x[0].astype(np.float64) @ w.astype(np.float64)
    at_a_kink = [Layer(w, (-z).astype(np.float32)), *here.params[1:]]
    with pytest.raises(AtAKinkError, match="units of a layer are within rounding of a kink"):
        gate(Point(here.network, at_a_kink, here.x, here.y))
    smooth = Network(NETWORK.sizes, activation="softplus", loss="softmax-ce")
    assert gate(Point(smooth, at_a_kink, here.x, here.y)).doubt == ""


def test_the_floor_has_the_products_of_the_chain_rule() -> None:
    """7-11-5-3 has three layers: three products forward, three dw, and two dx."""
    sizes = NETWORK.sizes
    made = products(
        [np.ones((BATCH, n)) for n in sizes[:-1]],
        [np.ones(shape) for shape in pairwise(sizes)],
        [np.ones((BATCH, n)) for n in sizes[1:]],
    )
    shapes = [(13, 11), (13, 5), (13, 3), (7, 11), (11, 5), (5, 3), (13, 11), (13, 5)]
    assert [product.shape for product in made] == shapes


@pytest.mark.usefixtures("same_gate")
def test_all_are_timed_and_the_ratios_fit() -> None:
    counted: list[int] = []
    timings = measure(NETWORK, BATCH, 5, counted.append)
    assert counted == [1, 2, 3, 4, 5]
    assert [row.name for row in timings.rows] == ROWS
    assert all(row.note == "" and len(row.seconds) == 5 for row in timings.rows)
    rows = {row.name: row for row in timings.rows}
    medians = {library: statistics.median(rows[name].seconds) for library, name in FLOORS.items()}
    assert medians[timings.floor] == min(medians.values())
    assert rows[FLOORS[timings.floor]].ratio == (1, 1, 1)
    for row in timings.rows:
        assert row.ratio is not None
        assert min(row.seconds) > 0
        ratios = timings.ratios(row.name, FLOORS[timings.floor])
        assert row.ratio[1] == pytest.approx(statistics.median(ratios))
    found = network_timings.factors(timings)
    assert found["speed_up"] == pytest.approx(found["compiler_gain"] / found["autodiff_tax"])


@pytest.mark.usefixtures("same_gate")
@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_gets_no_time(monkeypatch: pytest.MonkeyPatch, here: Point, what: str) -> None:
    wrong = without(what, here)
    monkeypatch.setitem(CONTENDERS, HAND_JITTED, lambda _: lambda: wrong)
    timings = measure(NETWORK, BATCH, 3)
    rows = {row.name: row for row in timings.rows}
    assert rows[HAND_JITTED].note.startswith("wrong: d")
    assert (rows[HAND_JITTED].seconds, rows[HAND_JITTED].ratio) == ([], None)
    assert all(rows[name].seconds for name in ROWS if name != HAND_JITTED)
    assert network_timings.factors(timings) == {}
    assert not any("jitted" in line or "tax" in line for line in layers.closing(timings))


@pytest.mark.usefixtures("same_gate")
def test_the_last_timed_answer_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def forgetful(here: Point) -> Callable[[], Answer]:
        def run() -> Answer:
            calls.append(1)
            return right(here) if len(calls) == 1 else without("an element", here)

        return run

    monkeypatch.setitem(CONTENDERS, GRAD, forgetful)
    rows = {row.name: row for row in measure(NETWORK, BATCH, 3).rows}
    assert rows[GRAD].note.startswith("wrong: dw of layer 2")
    assert rows[GRAD].seconds == []


@pytest.mark.usefixtures("same_gate")
def test_without_the_hand_lines_there_is_no_noise_row(
    monkeypatch: pytest.MonkeyPatch, here: Point
) -> None:
    monkeypatch.setitem(CONTENDERS, HAND, lambda _: lambda: without("a sign", here))
    rows = {row.name: row for row in measure(NETWORK, BATCH, 3).rows}
    assert (rows[AGAIN].note, rows[AGAIN].seconds) == ("not timed", [])


def ended(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as ending:
        layers.main(arguments)
    assert isinstance(ending.value.code, int)
    return ending.value.code


@pytest.mark.usefixtures("same_gate")
def test_the_table(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers.os, "getloadavg", lambda: (99.0, 0.0, 0.0))
    assert ended(SMALL) == 0
    shown = capsys.readouterr().out
    for what in (*ROWS, "by hand / GEMM floor", "(goal: at most 1.10)", "jax.grad / GEMM floor"):
        assert what in shown
    assert "load 99.0 before the start: others run here" in shown
    assert "freed memory: kept for the next array" in shown
    assert ended([*SMALL, "--give-back"]) == 0
    assert "freed memory: given back to the system" in capsys.readouterr().out


@pytest.mark.usefixtures("same_gate")
def test_the_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended([*SMALL, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["sizes"], answer["batch"], answer["activation"]) == ([7, 11, 5, 3], 13, "relu")
    assert answer["dtype"] == "float32"
    assert answer["floor"] in FLOORS
    assert answer["versions"] == {"numpy": np.__version__, "jax": jax.__version__}
    assert answer["threads"]["processors"] >= 1
    assert answer["load"] >= 0
    assert answer["keeps_freed_memory"] is True
    assert [row["name"] for row in answer["rows"]] == ROWS
    assert all(len(row["seconds"]) == 3 for row in answer["rows"])
    assert set(answer["factors"]) == {"compiler_gain", "autodiff_tax", "speed_up"}


def test_a_failed_gate_ends_with_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    times = [0.1, 0.2, 0.3]
    rows = [network_timings.Row(name, times, (1.0, 1.0, 1.0), None, "") for name in ROWS]
    rows[2] = network_timings.Row(HAND, [], None, None, "wrong: dw of layer 1[0, 0]")
    made = Timings(rows, "NumPy", 1.0)
    monkeypatch.setattr(layers, "measure", lambda *_: made)
    assert ended(SMALL) == 1
    assert "wrong: dw of layer 1[0, 0]" in capsys.readouterr().out
    assert ended([*SMALL, "--json"]) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--sizes", "7-x-3"], "got '7-x-3', expected numbers of units as 784-1024-1024-10"),
        (["--sizes", "7"], "sizes: got (7,), expected two or more"),
        (["--sizes", "7-0-3"], "sizes: got (7, 0, 3)"),
        (["--sizes", "7-1"], "sizes: got 1 output"),
        (["--activation", "step"], "'step' is not one of"),
        (["--rounds", "2"], "2 is not in the range"),
        (["--batch", "0"], "0 is not in the range"),
        (["--colour"], "No such option"),
    ],
)
def test_bad_options_are_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    assert ended(arguments) == 2
    shown: Any = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert says in shown.err


def test_freed_memory_is_kept() -> None:
    """In a process of its own: page faults of arrays that are made again and again, both ways."""
    code = """
import resource, sys
import numpy as np
from compare.memory import keep_freed_memory
kept = keep_freed_memory() if sys.argv[1] == "keep" else None
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def work():
    return np.ones(2**21) + np.ones(2**21)
work()
before = faults()
for _ in range(20):
    work()
print(kept, faults() - before)
"""

    def run(how: str) -> tuple[str, int]:
        done = subprocess.run(
            [sys.executable, "-c", code, how], capture_output=True, text=True, check=True
        )
        kept, faults = done.stdout.split()
        return kept, int(faults)

    (kept, few), (_, many) = run("keep"), run("give back")
    if kept == "False":
        pytest.skip("the C library is not glibc")
    assert few < many / 10


def test_without_glibc_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    from compare import memory

    monkeypatch.setattr(memory.ctypes, "CDLL", lambda _: object())
    assert memory.keep_freed_memory() is False
