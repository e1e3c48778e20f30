"""One cell in this process: what is right is timed, what is wrong or absent says why it is not."""

import ctypes
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import names
from benchmarks.cases import Choice, Spec
from benchmarks.contenders import c_program, network
from benchmarks.contenders.ready import Ready
from benchmarks.floors import floors, products_jit, products_numpy
from benchmarks.problems.network import network_problem
from benchmarks.protocol import cell, rounds
from benchmarks.protocol.cell import Plan, time_cell
from benchmarks.results import AGAIN, CONTENDER, FLOOR, JAX, LOSS, Cell
from manual.network import Network

SMALL = Spec("width", (3,))
BRIEF = Plan(rounds=2, seed=0, only=(names.HAND, names.HAND_JIT, names.GRAD, names.C))


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "SAMPLE_SECONDS", 1e-4)
    monkeypatch.setattr(rounds, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(rounds, "WARM_CALLS", 3)
    monkeypatch.setattr(cell, "WARM_SECONDS", 1e-3)


@pytest.fixture(scope="module")
def gates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Gates are made once for all tests of this file: they take longer than the rest."""
    return tmp_path_factory.mktemp("gates")


@pytest.fixture
def plan(gates: Path) -> Plan:
    return replace(BRIEF, gates=gates)


def test_every_row_of_a_cell(plan: Plan) -> None:
    steps: list[str] = []
    found = time_cell(SMALL, plan, steps.append)
    kinds = {row.name: row.kind for row in found.rows}
    assert kinds[names.GRAD] == kinds[names.HAND] == CONTENDER
    assert (kinds[names.AGAIN], kinds[names.LOSS]) == (AGAIN, LOSS)
    assert {name for name, kind in kinds.items() if kind == FLOOR} == {
        names.EMPTY_CALL,
        names.IDENTITY,
        *names.PRODUCTS.values(),
        *names.MEMORY.values(),
    }
    for row in found.rows:
        if row.name == names.C:
            assert row.absent == "the C program has the 2-2-1 sigmoid network only"
            continue
        assert (row.absent, row.wrong) == ("", "")
        assert np.shape(row.samples) == (1, 2)
        assert min(row.samples[0]) > 0
        assert row.phases[0]["first call"] > 0
        assert (row.gate_error is None) == (row.kind in (FLOOR, LOSS))
    assert steps[0] == "the gate"
    assert set(kinds) - {names.C} <= set(steps)


def test_the_cell_says_what_it_is(plan: Plan) -> None:
    found = time_cell(SMALL, plan)
    # 64-3-3-10 with 64 examples: s₁ = 192, S = 192 + 9 + 30.
    assert found.about["sizes"] == [64, 3, 3, 10]
    assert found.flops == 2 * 64 * (3 * 231 - 192)
    assert found.expected_cost == pytest.approx(3 - 192 / 231)
    assert found.parameters == 192 + 3 + 9 + 3 + 30 + 10
    assert found.bytes == 4 * (64 * (64 + 10) + 2 * found.parameters + 1)
    assert found.label == SMALL.label == "width/3/float32/all/highest/cpu"


@pytest.mark.parametrize("mistake", ["sign", "number"])
def test_a_wrong_contender_gets_no_time(
    plan: Plan, monkeypatch: pytest.MonkeyPatch, mistake: str
) -> None:
    def wrong(problem: Any) -> Ready:
        ready = network.hand_numpy(problem)

        def read(answer: Any) -> list[np.ndarray]:
            leaves = ready.read(answer)
            leaves[1] = -leaves[1] if mistake == "sign" else leaves[1] * np.float32(np.nan)
            return leaves

        return Ready(ready.run, read)

    monkeypatch.setitem(network.CONTENDERS, names.HAND, wrong)
    row = time_cell(SMALL, plan).row(names.HAND)
    assert row is not None
    assert row.wrong.startswith("dw of layer 1[0, 0]: got")
    assert (row.samples, row.timed, row.gate_error) == ([], False, None)


def test_the_last_timed_answer_is_judged(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """Right when it is asked the first time, wrong once it is timed."""

    def forgetful(problem: Any) -> Ready:
        ready, calls = network.hand_numpy(problem), []

        def run() -> Any:
            calls.append(1)
            loss, grads = ready.run()
            return loss, grads if len(calls) == 1 else [
                grads[0]._replace(w=0 * grads[0].w),
                *grads[1:],
            ]

        return Ready(run)

    monkeypatch.setitem(network.CONTENDERS, names.HAND, forgetful)
    row = time_cell(SMALL, plan).row(names.HAND)
    assert row is not None
    assert row.wrong.startswith("dw of layer 1")
    assert not row.timed


def test_the_reference_is_always_there(plan: Plan) -> None:
    found = time_cell(SMALL, replace(plan, only=(names.HAND,)))
    assert [row.name for row in found.timed(CONTENDER)] == [names.HAND, names.GRAD]
    assert [row.name for row in found.timed(AGAIN)] == [names.AGAIN]


def test_what_is_planted_in_the_reference_is_in_its_second_row(plan: Plan) -> None:
    found = time_cell(SMALL, replace(plan, plants={names.REFERENCE: "wrong"}))
    for name in (names.REFERENCE, names.AGAIN):
        assert found.row(name).wrong  # type: ignore[union-attr]


def test_without_a_compiler_c_says_so(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    c_program.library.cache_clear()
    monkeypatch.setattr(c_program.shutil, "which", lambda _: None)
    row = time_cell(Spec("batch-2-2-1", (4,), "float64"), plan).row(names.C)
    assert row is not None
    assert row.absent == "no C compiler: there is no cc on the path"


def test_a_compiler_that_fails_is_quoted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "article.c"
    broken.write_text("int main( {")
    c_program.library.cache_clear()
    monkeypatch.setattr(c_program, "SOURCE", broken)
    with pytest.raises(c_program.Unavailable, match=r"(cc failed|no C compiler)"):
        c_program.library("float64")


@pytest.fixture(autouse=True)
def no_kept_library() -> Iterator[None]:
    yield
    c_program.library.cache_clear()


def test_products_are_those_of_the_chain_rule() -> None:
    """7-11-5-3 has three layers: three products forward, three dw, and two dx."""
    problem = network_problem(Network((7, 11, 5, 3), activation="relu"), 13, "float32")
    assert problem.products == [
        (13, 7, 11), (13, 11, 5), (13, 5, 3),
        (7, 13, 11), (11, 13, 5), (5, 13, 3),
        (13, 5, 11), (13, 3, 5),
    ]  # fmt: skip
    for make in (products_numpy, products_jit):
        ready = make(problem)
        ready.run()
        ready.run()


def test_the_two_floors_of_products_compute_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """A floor that left out a product would be too low: their results are held together."""
    problem = network_problem(Network((7, 11, 5, 3), activation="relu"), 13, "float32")
    from benchmarks import floors as module

    kept: list[Any] = []
    operands = module._operands(problem)
    monkeypatch.setattr(module, "_operands", lambda _: operands)
    products_numpy(problem).run()
    ready = products_jit(problem)
    monkeypatch.setattr(module.jax, "block_until_ready", lambda made: kept.append(made) or made)
    ready.run()
    (by_jax,) = kept
    assert len(by_jax) == len(operands) == 8
    for (left, right, room), made in zip(operands, by_jax, strict=True):
        np.testing.assert_allclose(room, left @ right, rtol=1e-5)
        np.testing.assert_allclose(made, room, rtol=1e-4, atol=1e-5)


def test_floors_of_a_gpu_leave_numpy_out_and_time_the_transfer() -> None:
    problem = network_problem(Network((7, 11, 5, 3), activation="relu"), 13, "float32")
    on_gpu, on_cpu = floors(problem, "gpu"), floors(problem, "cpu")
    assert set(on_gpu) - set(on_cpu) == {names.TRANSFER}
    assert set(on_cpu) - set(on_gpu) == {names.PRODUCTS["NumPy"], names.MEMORY["NumPy"]}
    made = on_gpu[names.TRANSFER](problem)
    assert made.called == JAX
    np.testing.assert_array_equal(made.run()[0].w, problem.params[0].w)


def test_the_compiler_counts_the_operations_that_the_formula_does(plan: Plan) -> None:
    """Beside the products it counts what is done to each element: some more, never fewer."""
    found: Cell = time_cell(Spec("width", (16,)), replace(plan, only=(names.GRAD_AOT,)))
    counted = found.row(names.GRAD_AOT).counted_flops  # type: ignore[union-attr]
    assert counted is not None
    assert found.flops is not None
    assert 1.0 <= counted / found.flops < 1.25
    phases = found.row(names.GRAD_AOT).phases[0]  # type: ignore[union-attr]
    assert set(phases) == {"trace", "lower", "compile", "first call"}


def test_the_sets_of_cells() -> None:
    quick, full = Choice().specs(), Choice(full=True).specs()
    assert len(quick) < 10 < 50 < len(full)
    assert {spec.label for spec in quick} <= {spec.label for spec in full}
    (one,) = Choice(cases=("depth",), dtypes=("float32",)).specs()[:1]
    assert (one.case, one.threads, one.precision) == ("depth", "1", "highest")
    both = Choice(cases=("digits",), precisions=("highest", "default"), device="gpu").specs()
    assert [spec.precision for spec in both] == ["highest", "default"]
    assert Choice(cases=("training",), dtypes=("float32",)).specs() == []


def test_c_keeps_the_arrays_that_it_points_into() -> None:
    if c_program.shutil.which("cc") is None:
        pytest.skip("there is no C compiler")
    rng = np.random.default_rng(0)
    ready = c_program.loss_and_gradient(
        "mass", rng.normal(size=(9, 4)), rng.normal(size=(4, 2)), rng.normal(size=4)
    )
    before = [leaf.copy() for leaf in ready.read(ready.run())]
    import gc

    gc.collect()
    _ = [np.full(100, np.nan) for _ in range(1000)]
    assert all(map(np.array_equal, before, ready.read(ready.run())))
    assert ctypes.sizeof(ctypes.c_long) in (4, 8)
