"""One cell in this process: what is right is timed, what is wrong or absent says why it is not."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import numpy as np
import pytest

from benchmarks import names, protocol
from benchmarks.cases import Spec, specs
from benchmarks.contenders import c_program
from benchmarks.contenders.families import FAMILIES
from benchmarks.floors import (
    factors,
    identity,
    layers,
    memory_jit,
    products_jit,
    products_numpy,
)
from benchmarks.problems.gate import Gate, RefusedError
from benchmarks.problems.gradient import NetworkProblem, network_problem
from benchmarks.protocol import Job
from benchmarks.protocol import time_cell as steps_of_timing
from benchmarks.ready import Ready, Unavailable, leaves
from benchmarks.results import AGAIN, CONTENDER, FLOOR, LOSS, Cell
from handgrad.speed import rounds
from manual.network import Network
from tests.benchmarks.sure import row_of, sure

SMALL = Spec("width", (3,))
FEW = (names.HAND, names.HAND_JIT, names.GRAD, names.C)


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "SAMPLE_SECONDS", 1e-4)
    monkeypatch.setattr(rounds, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(protocol, "WARM_CALLS", 3)
    monkeypatch.setattr(protocol, "WARM_SECONDS", 1e-3)


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """Gates are made once for all tests of this file: they take longer than the rest."""
    return Job(rounds=2, processes=1, only=FEW, gates=tmp_path_factory.mktemp("gates"))


def time_cell(spec: Spec, job: Job, so_far: Cell | None = None) -> Cell:
    """What comes last of the steps."""
    *_, found = steps_of_timing(spec, job, 0, so_far)
    assert isinstance(found, Cell)
    return found


@pytest.mark.slow
def test_every_row_of_a_cell_and_what_it_is(job: Job) -> None:
    others = tuple(name for name in names.CONTENDERS if name not in FEW)
    found = time_cell(replace(SMALL, leave_out=others), replace(job, only=()))
    kinds = {row.name: row.kind for row in found.rows if row.timed}
    assert {name for name, kind in kinds.items() if kind == CONTENDER} == {*FEW} - {names.C}
    assert (kinds[names.AGAIN], kinds[names.LOSS]) == (AGAIN, LOSS)
    assert {name for name, kind in kinds.items() if kind == FLOOR} == {
        names.EMPTY_CALL,
        names.IDENTITY,
        *names.PRODUCTS.values(),
        *names.MEMORY.values(),
        names.PRODUCTS_CALLS,
        names.MEMORY_CALL,
    }
    assert row_of(found, names.C).absent == "the C program has the 2-2-1 sigmoid network only"
    assert row_of(found, names.TORCH).absent == "not in this set; --contender times it"
    assert row_of(found, names.FLOATS).absent == "not for this problem"
    for row in (row_of(found, name) for name in kinds):
        assert np.shape(row.samples) == (1, 2)
        assert min(row.samples[0]) > 0
        assert (row.gate_error is None) == (row.kind == FLOOR)
    # 64-3-3-10 with 64 examples: s₁ = 192, S = 192 + 9 + 30.
    assert found.about["sizes"] == [64, 3, 3, 10]
    assert found.flops == 2 * 64 * (3 * 231 - 192)
    assert found.expected_cost == pytest.approx(3 - 192 / 231)
    assert found.parameters == 192 + 3 + 9 + 3 + 30 + 10
    assert found.bytes == 4 * (64 * (64 + 10) + 2 * found.parameters + 1)
    assert found.label == SMALL.label == "width/3/float32/all/highest/cpu"
    # Beside the products the compiler counts what is done to each element, more in so small a cell.
    for row in (row_of(found, name) for name in (names.HAND_JIT, names.GRAD)):
        assert 1.0 <= sure(row.counted_flops) / found.flops < 2
        count, largest = row.operations["dot"]
        assert count >= len(SMALL.problem().products)
        assert largest == 64 * 10
        assert sure(row.planned_bytes) > 4 * found.parameters


def read_wrongly(problem: NetworkProblem) -> Ready:
    def read(answer: Any) -> list[np.ndarray]:
        loss, dw, *rest = leaves(answer)
        return [loss, -dw, *rest]

    return Ready(lambda: problem.by_hand(*problem.arguments), read)


def right_once(problem: NetworkProblem) -> Ready:
    """Right when it is asked the first time, wrong once it is timed."""
    calls = []

    def run() -> Any:
        calls.append(1)
        loss, grads = problem.by_hand(*problem.arguments)
        return loss, grads if len(calls) == 1 else [grads[0]._replace(w=0 * grads[0].w), *grads[1:]]

    return Ready(run)


def raising(call: int) -> Callable[[NetworkProblem], Ready]:
    def made(problem: NetworkProblem) -> Ready:
        calls = iter(range(call)[::-1])

        def run() -> Any:
            assert 1 / next(calls)  # the last of them is 0
            return problem.by_hand(*problem.arguments)

        return Ready(run)

    return made


def twice_the_loss(problem: NetworkProblem) -> Ready:
    return Ready(lambda: 2 * problem.by_hand(*problem.arguments)[0], judge=Gate.of_loss)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "make", "says"),
    [
        (names.HAND, read_wrongly, "dw of layer 1[0, 0]: got"),
        (names.HAND, right_once, "dw of layer 1"),
        (names.HAND, raising(1), "it raised ZeroDivisionError: division by zero"),
        (names.HAND, raising(2), "it raised ZeroDivisionError: division by zero"),
        (names.LOSS, twice_the_loss, "the loss: got"),
    ],
)
def test_a_row_that_is_wrong_in_one_process_has_no_time_and_the_others_have(
    job: Job, monkeypatch: pytest.MonkeyPatch, name: str, make: Any, says: str
) -> None:
    right = time_cell(SMALL, job)
    assert row_of(right, name).timed
    with monkeypatch.context() as changed:
        if name == names.LOSS:
            changed.setattr(NetworkProblem, "loss_alone", make)
        else:
            changed.setitem(FAMILIES[NetworkProblem], name, make)
        found = time_cell(SMALL, job, right)
    found = time_cell(SMALL, job, found)
    row = row_of(found, name)
    assert row.wrong.startswith(says)
    assert (row.samples, row.timed) == ([], False)
    others = row_of(found, names.GRAD)
    assert (np.shape(others.samples), len(others.steady_after)) == ((3, 2), 3)


@pytest.mark.slow
def test_all_that_a_gpu_asks_for_runs_on_the_processor(job: Job) -> None:
    """The transfer on a row of its own."""
    found = time_cell(Spec("width", (3,), device="gpu"), replace(job, only=(names.HAND,)))
    assert found.label == "width/3/float32/all/highest/gpu"
    assert sure(found.sees) > 0.5
    assert {row.name for row in found.timed(FLOOR)} == {
        *(names.EMPTY_CALL, names.IDENTITY, names.TRANSFER),
        *(names.PRODUCTS["jax.jit"], names.MEMORY["jax.jit"]),
    }
    assert {row.name for row in found.timed(CONTENDER)} == {names.HAND, names.GRAD}


@pytest.mark.slow
def test_a_gate_that_sees_nothing_is_refused(monkeypatch: pytest.MonkeyPatch, job: Job) -> None:
    monkeypatch.setattr(Gate, "sees", lambda _: 0.4)
    *_, found = steps_of_timing(SMALL, job, 0)
    assert isinstance(found, RefusedError)
    assert str(found).startswith("all but 40.0% of the gradient could be 0")


def test_without_a_compiler_c_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    c_program.library.cache_clear()
    monkeypatch.setattr(c_program.shutil, "which", lambda _: None)
    with pytest.raises(Unavailable, match="no C compiler: there is no cc on the path"):
        c_program.library("float64")


def test_the_floors_compute_what_they_say() -> None:
    """A floor that left out a product, or a byte, would be too low.

    7-11-5-3 has three layers: three products forward, three dw, and two dx.
    """
    problem = network_problem(Network((7, 11, 5, 3), activation="relu"), 13, "float32")
    assert problem.products == [
        (13, 7, 11), (13, 11, 5), (13, 5, 3),
        (7, 13, 11), (11, 13, 5), (5, 13, 3),
        (13, 5, 11), (13, 3, 5),
    ]  # fmt: skip
    made = factors(layers(problem))
    shapes = [(*left.shape, right.shape[1]) for left, right in made]
    assert sorted(shapes) == sorted(problem.products)
    for ready in (products_numpy(made), products_jit(problem)):
        ready.run()
        for (left, right), room in zip(made, ready.run(), strict=True):
            np.testing.assert_allclose(room, left @ right, rtol=1e-4, atol=1e-5)
    copied = memory_jit(problem).run()
    assert 2 * copied.nbytes == pytest.approx(problem.moved, rel=0.01)
    assert np.all(np.asarray(copied) == -1)
    # Of each leaf one number: else the floor of a large problem would hold its bytes twice.
    assert [leaf.size for leaf in jax.tree.leaves(identity(problem).run())] == [1] * 6


def test_the_sets_of_cells() -> None:
    quick, full = specs(), specs(full=True)
    assert len(quick) < 10 < 40 < len(full)
    assert {spec.label for spec in quick} <= {spec.label for spec in full}
    one = specs(cases=("depth",), dtypes=("float32",))[0]
    assert (one.case, one.threads) == ("depth", "1")
    assert specs(cases=("training",), dtypes=("float32",)) == []
    assert len(specs(("width", "width"), ("float32", "float32"), ("1", "1"))) == 1
    gpu = specs(gpu=True, device="gpu")
    assert {(spec.device, spec.threads) for spec in gpu} == {("gpu", "all")}
    assert ("batch-2-2-1", (4**10,)) in [(spec.case, spec.size) for spec in gpu]
