"""The times of checks: what is measured, that only a right check has a time, and the exponent."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import jax
import numpy as np
import pytest

import handgrad
from benchmarks.check_times import measure, run, subjects, table
from benchmarks.check_times import results as results_module
from benchmarks.check_times.results import AGREE, OURS, Call, Results, Row
from benchmarks.check_times.subjects import EQUAL, OTHERS, SUBJECTS, WORDS, Subject
from benchmarks.checkers import contenders
from benchmarks.checkers.contenders import CONTENDERS, Contender
from benchmarks.checkers.question import RIGHT, WRONG, Answer
from benchmarks.process import StoppedError
from compare.wording import InputError
from models.model import Model
from models.sized import perceptron
from tests.benchmarks.sure import ended, one_line, sure

PEER = "jax.test_util.check_grads"
SMALLEST = SUBJECTS[0]


def times(subject: Subject, *seconds: float, by: str = OURS, **others: Any) -> Row:
    """Make up a row: three first calls of these seconds, and later ones of half of them."""
    verdict, size = (AGREE if by == OURS else RIGHT), subject.parameters
    first = [Call(s, s, verdict, 9, size) for s in seconds]
    later = [replace(call, seconds=call.seconds / 2) for call in first]
    fields: dict[str, Any] = {"first": first, "later": later, "calibration": [0.01] * len(first)}
    return Row(subject.name, by, size, **(fields | others))


def made_up(*rows: Row) -> Results:
    versions = {"python": "3.11", "jax": "0.10"}
    about = {"date": "2026-01-02", "revision": "abc", "machine": "m", "system": "s", "load": 0.25}
    about |= {"processor": "p", "processors": 2, "versions": versions}
    return Results(about, 3, 3, 1.125, "as it is", {OURS: None, PEER: None}, [*rows])


def cells(text: str, start: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {start} |")]
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_subjects_have_names_and_words_of_their_own() -> None:
    names = [subject.name for subject in SUBJECTS]
    assert len({*names}) == len(names)
    assert set(WORDS) == {subject.name for subject in SUBJECTS if subject.group == OTHERS}
    assert set(subjects.QUICK) < set(names)


def test_parameters_and_multiply_adds_are_those_of_the_program() -> None:
    """Counted in what JAX makes of the loss, for the smallest network of three layers."""
    sizes, examples = (5, 7, 3, 2), 11
    model = perceptron(sizes, examples)
    params, *inputs = model.draw(np.random.default_rng(0))
    assert subjects.size_of(sizes) == sum(leaf.size for leaf in jax.tree.leaves(params))
    program = jax.make_jaxpr(jax.value_and_grad(model.function))(params, *inputs)
    made = 0
    for step in program.eqns:
        if step.primitive.name == "dot_general":
            ((summed, _), _), (left, right) = step.params["dimension_numbers"], step.invars
            in_common = math.prod(left.aval.shape[axis] for axis in summed)
            made += left.aval.size * right.aval.size // in_common
    assert subjects.multiply_adds(sizes, examples) == made


def test_the_table_has_medians() -> None:
    made = made_up(times(SMALLEST, 3.0, 1.0, 2.0), times(SMALLEST, 0.5, 0.25, 7.0, by=PEER))
    text = table.markdown(made)
    assert cells(text, SMALLEST.name) == ["9", "9", "2 s", "1 s", "0.5, 0.25 s"]
    assert "whose load before was 0.25, " in text
    assert "takes 10.0 ms (in its processes 10.0 to 10.0 ms) there" in text
    assert "to the power of" not in text, "there is no exponent of one network"


@pytest.mark.parametrize("calls", ["first", "later"])
@pytest.mark.parametrize("verdict", ["disagree", "undecidable", "imprecise"])
def test_a_check_that_does_not_agree_has_no_time(
    calls: str, verdict: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = times(SMALLEST, 3.0, 1.0, 2.0)
    getattr(row, calls)[1] = replace(row.first[1], verdict=verdict)
    made = made_up(row, times(SMALLEST, 0.5, 0.25, 7.0, by=PEER))
    found = cells(table.markdown(made), SMALLEST.name)
    assert found[2:] == [f"no time: {verdict}"] * 2 + ["0.5, 0.25 s"]
    assert made.failed == [f"{SMALLEST.name}: {verdict}"]
    made.save(tmp_path / "times.json")
    assert ended("check-times", "--table", str(tmp_path / "times.json")) == 0
    assert "| 2 s |" not in capsys.readouterr().out


def test_what_a_peer_says_stands_beside_its_time() -> None:
    row = times(SMALLEST, 0.5, by=PEER)
    row.first[0] = replace(row.first[0], verdict=WRONG)
    assert table.both(row) == "0.5, 0.25 s (wrong)"
    stopped = times(SMALLEST, 0.5, by=PEER, stopped="time")
    assert (table.both(stopped), table.both(None)) == ("no time: time", "-")
    assert made_up(row, stopped).failed == []


def test_what_was_stopped_at_once_has_a_row_and_what_was_not_asked_no_sentence() -> None:
    nothing: dict[str, Any] = {"first": [], "later": [], "calibration": []}
    made = made_up(times(SMALLEST, stopped="memory", **nothing), *growing(float))
    made.rows[1] = times(COMPARED[0], stopped="memory", **nothing)
    made.contenders = {OURS: None, PEER: "not installed"}
    text = table.markdown(made)
    assert cells(text, SMALLEST.name) == ["9", "-", "no time: memory", "no time: memory"]
    assert cells(text, "64-64-10, 128")[1:3] == ["-", "no time: memory"]
    assert "Beside it" not in text
    assert f"Not asked: `{PEER}`, not installed." in text


def test_elements_that_were_not_judged_are_said() -> None:
    row = times(SMALLEST, 1.0, 1.0, 1.0)
    assert table.points(row) == "9"
    row.later[1] = replace(row.later[1], points=4)
    assert table.points(row) == "4 to 9"
    row.later[1] = replace(row.later[1], judged=5)
    assert table.points(row) == "4 to 9, and 5 of 9 elements"


COMPARED = [subject for subject in SUBJECTS if subject.group == EQUAL]


def growing(law: Callable[[int], float]) -> list[Row]:
    return [times(subject, *[2 * law(subject.parameters)] * 3) for subject in COMPARED]


def test_the_exponent_is_that_of_a_power() -> None:
    rows = growing(lambda size: 1e-5 * size**0.75)
    assert table.exponent(rows) == pytest.approx((0.75, 0.75, 0.75))
    assert table.steps(rows) == pytest.approx([0.75] * (len(rows) - 1))
    text = table.markdown(made_up(*rows))
    assert "to the power of 0.75 (with 95 % confidence 0.75 to 0.75" in text
    assert "Predicted was 1.12, as it is." in text


def test_its_interval_is_that_of_least_squares() -> None:
    """Of times above and below a power; Student's factor for two degrees of freedom is closed."""
    noise = dict(zip([s.parameters for s in COMPARED], [1.1, 0.8, 1.3, 0.9], strict=True))
    x, y = (np.log(values) for values in ([*noise], [size * noise[size] for size in noise]))
    dx = x - x.mean()
    slope = dx @ y / (dx @ dx)
    left = y - y.mean() - slope * dx
    half = math.sqrt(left @ left / 2 / (dx @ dx)) * 0.95 / math.sqrt(2 * 0.975 * 0.025)
    expected = (slope, slope - half, slope + half)
    assert table.exponent(growing(lambda size: size * noise[size])) == pytest.approx(expected)


def test_what_is_not_right_or_not_whole_is_not_in_the_exponent() -> None:
    rows = growing(lambda size: 1e-5 * size**0.75)
    last = rows[-1]
    rows[-1] = times(COMPARED[-1], 1e9, 1e9, 1e9)
    assert table.exponent(rows) != pytest.approx((0.75, 0.75, 0.75))
    for change in ({"judged": 12}, {"verdict": "undecidable"}):
        rows[-1].later[0] = replace(last.later[0], seconds=1e9, **change)
        assert table.exponent(rows) == pytest.approx((0.75, 0.75, 0.75))
    assert table.exponent(rows[-2:]) is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"later": []}, "expected 3 first calls and 3 later ones"),
        ({"calibration": [0.01]}, "expected 3 first calls and 3 later ones"),
        ({"parameters": 0}, "rows[0].parameters is 0; expected `int` >= 1"),
        ({}, "2-2-1, 4, handgrad.check_gradient: expected one row"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(
    change: dict[str, Any], says: str, tmp_path: Path
) -> None:
    right = times(SMALLEST, 1.0, 1.0, 1.0)
    made_up(right).save(tmp_path / "times.json")
    assert Results.load(tmp_path / "times.json") == made_up(right)
    rows = [replace(right, **change)] if change else [right, right]
    made_up(*rows).save(tmp_path / "times.json")
    with pytest.raises(InputError) as refused:
        Results.load(tmp_path / "times.json")
    assert says in str(refused.value)


def halved() -> Model:
    """A small network whose gradient is half of what it should be."""
    model = perceptron((2, 2, 1), 4)

    def wrong(*point: Any) -> Any:
        return jax.tree.map(lambda leaf: leaf / 2, model.by_hand(*point))

    return replace(model, by_hand=wrong)


OURSELVES, BY_JAX = CONTENDERS[:2]


def test_calls_are_of_the_checkers_themselves() -> None:
    planted = Subject("planted", OTHERS, halved)
    with jax.enable_x64(True):
        ours = [*islice(measure.calls(SMALLEST, {"points": 1}, OURSELVES), 2)]
        (wrong,) = islice(measure.calls(planted, {"points": 0}, OURSELVES), 1)
        theirs = [next(measure.calls(s, {}, BY_JAX)).verdict for s in (SMALLEST, planted)]
    assert [(call.verdict, call.points, call.judged) for call in ours] == [(AGREE, 2, 9)] * 2
    assert wrong.verdict == "disagree"
    assert theirs == [RIGHT, WRONG]


def test_later_calls_are_at_other_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a checker that keeps its answer would have no time."""
    asked: list[Any] = []

    def record(*given: Any, **options: Any) -> Any:
        asked.append((given, options))
        outcome = SimpleNamespace(ruling=None)
        return SimpleNamespace(verdict=AGREE, points=1, trial=SimpleNamespace(outcomes=[outcome]))

    monkeypatch.setattr(handgrad, "check_gradient", record)
    _ = [*islice(measure.calls(SMALLEST, {"points": 0}, OURSELVES), 3)]
    assert [options for _, options in asked] == [{"points": 0}] * 3
    losses = {(gradient, loss, *map(id, inputs)) for (gradient, loss, _, *inputs), _ in asked}
    assert len(losses) == 1
    weights = [jax.tree.leaves(params)[0] for (_, _, params, *_), _ in asked]
    assert len({array.tobytes() for array in weights}) == 3


def test_only_options_that_there_are_are_asked_for() -> None:
    options = {"points": 0, "of_tomorrow": 1.0}
    assert run._known(replace(SMALLEST, options=options)) == {"points": 0}


class Played:
    """Stands in for the other process: it says what was written for it, one message after another.

    A call of `answer` is a new process; `stops` is the message at which one is stopped, if any.
    """

    started: ClassVar[list["Played"]] = []
    stops: ClassVar[int | None] = None

    def __init__(self, _work: Any, later: int) -> None:
        self.later, self.received = later, 0
        self.started.append(self)

    def __enter__(self) -> "Played":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def send(self, message: Any) -> None:
        self.subject, self.options, self.contender = message

    def receive(self, *_: float) -> Any:
        self.received += 1
        if self.received == self.stops:
            raise StoppedError("time", 9.0)
        if self.received in (1, self.later + 3):
            return "ready" if self.received == 1 else 0.01
        verdict = AGREE if self.contender.name == OURS else RIGHT
        return Call(self.received, 1.0, verdict, 9, self.subject.parameters)


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> type[Played]:
    """The run with processes that are played."""
    monkeypatch.setattr(Played, "started", [])
    monkeypatch.setattr(run, "Process", Played)
    return Played


def test_later_calls_are_those_of_the_first_process(played: type[Played]) -> None:
    row = run.measured(made_up(), SMALLEST, OURSELVES)
    assert [process.later for process in played.started] == [3, 0, 0]
    assert [call.seconds for call in row.first] == [2, 2, 2]
    assert [call.seconds for call in row.later] == [3, 4, 5]
    assert (row.calibration, row.stopped) == ([0.01] * 3, "")


def test_what_is_stopped_is_not_asked_again(
    played: type[Played], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(played, "stops", 3)
    row = run.measured(made_up(), SMALLEST, OURSELVES)
    assert len(played.started) == 1
    assert (row.wrong, made_up(row).failed) == ("time", [f"{SMALLEST.name}: time"])


@pytest.mark.usefixtures("played")
def test_a_run_from_end_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(contenders, "CONTENDERS", (OURSELVES, BY_JAX))
    monkeypatch.setattr(results_module, "STORED", tmp_path / "stored.json")
    out = str(tmp_path / "times.json")
    one = ("check-times", "--subject", SMALLEST.name)
    assert ended(*one, "--out", out) == 0
    shown = capsys.readouterr()
    assert shown.out == table.markdown(Results.load(Path(out)))
    assert "1/2 handgrad.check_gradient: 2-2-1, 4: 2, 5 s" in shown.err
    assert ended(*one, "--out", out) == 2
    one_line(capsys, "is there already; expected --resume or --overwrite")
    assert ended(*one, "--out", out, "--resume") == 0
    assert capsys.readouterr().err == "", "there was nothing left to measure"
    assert ended(*one, "--out", out, "--resume", "--quick") == 2
    one_line(capsys, "was made with --processes 5, got 1")
    assert ended(*one, "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["rows"]) == 2
    assert not (tmp_path / "stored.json").exists(), "a part is not stored as the whole"
    assert ended("check-times") == 0
    stored = Results.load(tmp_path / "stored.json")
    assert [row.subject for row in stored.rows if row.contender == OURS] == [
        subject.name for subject in SUBJECTS
    ]
    assert stored.row(COMPARED[0].name, PEER) is None, "what is compared is ours alone"
    assert stored.predicted == subjects.predicted()


@pytest.mark.usefixtures("played")
def test_a_check_that_is_stopped_ends_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Played, "stops", 2)
    one = ("check-times", "--subject", SMALLEST.name, "--out", str(tmp_path / "times.json"))
    assert ended(*one, "--contender", PEER) == 0
    assert ended(*one, "--contender", OURS, "--overwrite") == 1
    assert sure(Results.load(tmp_path / "times.json").row(SMALLEST.name)).stopped == "time"


@pytest.mark.usefixtures("played")
def test_a_large_gradient_is_not_differenced() -> None:
    by_scipy = Contender("scipy.optimize.check_grad", "scipy", lambda _: Answer(RIGHT))
    made = made_up()
    made.contenders[by_scipy.name] = None
    asked = {subject.parameters for subject, _ in run.left(made, [by_scipy], SUBJECTS)}
    assert max(asked) == 4_810


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--contender", "mine"], "'--contender': 'mine'; expected one of handgrad.check_grad"),
        (["--subject", "9-9-9"], "'--subject': '9-9-9'; expected one of 2-2-1, 4, "),
        (["--table", "nothing.json"], "nothing.json: No such file or directory"),
    ],
)
def test_bad_options_are_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    assert ended("check-times", *arguments) == 2
    one_line(capsys, says)


@pytest.mark.slow
def test_a_process_of_its_own_measures() -> None:
    made = replace(made_up(), processes=1, later=1)
    row = run.measured(made, SMALLEST, OURSELVES)
    assert (row.wrong, row.whole, table.points(row)) == ("", True, "9")
    assert made_up().contradiction() is None
    assert replace(made, rows=[row]).contradiction() is None
    assert run.measured(made, Subject("planted", OTHERS, halved), OURSELVES).wrong == "disagree"
