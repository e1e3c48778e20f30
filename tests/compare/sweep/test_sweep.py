"""A whole sweep: what it covers, on how many devices, what it sees, and how it is stopped."""

import json
import math
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import manual.article
import manual.network
from compare.planted import PLANTS
from compare.sweep.cases import BLOCK
from compare.sweep.program import evaluate_block
from compare.sweep.replay import case
from compare.sweep.run import Swept, sweep
from manual.affine import Layer
from manual.network import Network
from tests.compare.networks.calls import compare, started
from tests.compare.sweep.blocks import swept

ROOT = Path(__file__).parents[3]
NINE = list(manual.article.Parameters._fields)


def test_all_cases_are_counted_once() -> None:
    for requested in (1, BLOCK, 5 * BLOCK + 1):
        done: list[int] = []
        found = sweep(swept(weights="uniform:0.5"), requested, done.append)
        assert (found.cases, found.requested, done) == (requested, requested, [requested])
        assert found.histogram.sum() == 9 * requested
        assert found.verdict(()) == "agree"
        assert all(0 <= number < requested for number, _ in found.suspects)


@pytest.mark.parametrize("requested", [10, BLOCK + 3])
def test_beyond_the_last_case_nothing_is_counted(requested: int) -> None:
    """A block is whole wherever a sweep ends; here the same is said of every case."""
    assert sweep(swept(plant="residual-sign"), requested).disagreements == requested
    assert sweep(swept(weights="uniform:0.1"), requested).judged == dict.fromkeys(NINE, requested)


def test_a_sweep_can_be_stopped_between_steps() -> None:
    found = sweep(swept(), 10**9, asked_to_stop=lambda: True)
    assert 0 < found.cases < 10**9
    assert found.cases % BLOCK == 0
    assert not found.is_whole
    assert found.histogram.sum() == 9 * found.cases


def test_a_hundred_cases_see_less_than_a_million() -> None:
    """Weights and inputs of a size that saturates a unit once in some thousand cases."""
    rare = swept(weights="uniform:2", inputs="uniform:4", plant="saturated-unit-zeroed")
    assert sweep(rare, 100).disagreements == 0
    found = sweep(rare, 10**6)
    assert 0 < found.disagreements < 5000
    (worst, ratio), *_ = found.suspects
    assert ratio > 1e6
    assert case(rare, worst).ruling().verdict == "disagree"


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_right_gradient_agrees(dtype: str) -> None:
    found = sweep(swept(dtype=dtype), 50_000)
    assert (found.disagreements, found.overflowed) == (0, 0)
    assert found.max_bound_ratio < 0.5


def test_what_overflows_is_undecidable() -> None:
    network = Network((2, 2, 2, 2, 2, 2, 1), "identity", "identity")
    found = sweep(swept(network, weights="uniform:1e30", inputs="uniform:1e30"), 10)
    assert found.overflowed > 0
    assert found.verdict(()) == "undecidable"


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_gradient_that_is_no_number_disagrees(
    dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a network whose parameters are compared at once; in one layer alone."""
    right = manual.network.gradient

    def spoilt(*point: Any) -> Any:
        (w, b), *others = right(*point)
        return [Layer(w, b * np.nan), *others]

    monkeypatch.setattr(manual.network, "gradient", spoilt)
    found = sweep(swept(Network((3, 2, 1), "tanh"), 2, dtype), 10_000)
    assert found.disagreements == 10_000
    assert found.max_bound_ratio == math.inf
    assert found.max_ulps["b0[0]"] == math.inf
    assert np.isfinite(found.max_ulps["w1[0,0]"])


@pytest.mark.parametrize(
    ("sizes", "activation", "scale"),
    [((2, 2, 2, 2, 2, 1), "tanh", "spread:1e-3:10"), ((2, 3, 1), "relu", "uniform:1e3")],
)
def test_a_factor_in_a_network_disagrees(
    sizes: tuple[int, ...], activation: str, scale: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In single precision and in some depth: bounds grow, but not to the size of the numbers."""
    right = manual.network.gradient

    def twice(*point: Any) -> Any:
        return [Layer(2 * w, 2 * b) for w, b in right(*point)]

    monkeypatch.setattr(manual.network, "gradient", twice)
    settings = swept(Network(sizes, activation, "identity"), 2, "float32", scale, scale)
    found = sweep(settings, 10_000)
    assert found.disagreements > 9_000
    assert min(found.judged.values()) > 4_000, found.judged


@pytest.mark.parametrize(
    ("dtype", "size", "silent"),
    [("float64", "uniform:1e30", "all"), ("float32", "uniform:1e3", "w1 w2 w3 w4 b1 b2")],
)
def test_of_what_rounding_explains_altogether_nothing_is_known(
    dtype: str, size: str, silent: str
) -> None:
    """A mistake in w4 does not show where no element of w4 is larger than its bound."""
    found = sweep(swept(dtype=dtype, weights=size, inputs=size, plant="wrong-input"), 100_000)
    assert found.disagreements == 0
    names = [name for name, count in found.judged.items() if count == 0]
    assert names == (NINE if silent == "all" else silent.split())
    assert found.verdict(()) == "undecidable"
    told = dict.fromkeys(NINE, 1)
    assert replace(found, judged=told).verdict(()) == "agree"
    assert replace(found, judged=told | {"b3": 0}).verdict(()) == "undecidable"


def test_the_judge_has_the_last_word() -> None:
    found = sweep(swept(), 10)
    assert found.verdict(["agree", "imprecise"]) == "agree"
    assert found.verdict(["agree", "disagree"]) == "disagree"


#: Seen in float64 at the first few thousand cases; `accumulates` and `float32` run in NumPy.
QUICK = ["missing-square", "float32", "accumulates", "off-by-1e-12", "not-a-number"]


def hold(slug: str) -> None:
    found = sweep(swept(plant=slug), 20_000)
    assert found.disagreements > 0
    assert found.verdict(()) == "disagree"
    (worst, ratio), *_ = found.suspects
    assert not ratio <= 1
    assert case(swept(plant=slug), worst).ruling().verdict == "disagree"


@pytest.mark.parametrize("slug", QUICK)
def test_a_planted_mistake_is_reported(slug: str) -> None:
    hold(slug)


@pytest.mark.slow
@pytest.mark.parametrize("slug", [slug for slug in PLANTS if slug not in QUICK])
def test_every_planted_mistake_is_reported(slug: str) -> None:
    hold(slug)


def same(found: dict[str, Any]) -> dict[str, Any]:
    """A report without what may differ between machines and runs."""
    differs = ("seconds", "cases_per_second", "floor_cases_per_second", "devices", "processes")
    return {name: value for name, value in found.items() if name not in differs}


def one(devices: int, *words: Any, **options: Any) -> subprocess.Popen[str]:
    environment = os.environ | {"JAX_NUM_CPU_DEVICES": str(devices)}
    return started("sweep", "--json", *words, env=environment, cwd=ROOT, **options)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("localhost", 0))
        return listening.getsockname()[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ("--cases", "3e6", "--seed", 5),
        ("--cases", "3e6", "--dtype", "float32", "--plant", "saturated-unit-zeroed"),
        ("--cases", 30_001, "--network", "3-3-2", "--activation", "tanh"),
    ],
)
def test_devices_and_processes_change_nothing(words: tuple[Any, ...]) -> None:
    planted = int("--plant" in words)
    reports = []
    for devices in (1, 8):
        with one(devices, *words) as process:
            out, err = process.communicate()
        assert process.returncode == planted, err
        reports.append(json.loads(out))
    where = ("--coordinator", f"localhost:{free_port()}", "--num-processes", 2, "--process-id")
    with one(2, *words, *where, 1) as second, one(2, *words, *where, 0) as first:
        out, err = first.communicate(timeout=120)
        assert second.communicate(timeout=120)[0] == ""
    assert (first.returncode, second.returncode) == (planted, planted), err
    reports.append(json.loads(out))
    counts = [(found["devices"], found["processes"]) for found in reports]
    assert counts == [(1, 1), (8, 1), (4, 2)]
    assert same(reports[0]) == same(reports[1]) == same(reports[2])
    assert reports[0]["cases"] == reports[0]["requested"]


@pytest.mark.slow
def test_processes_with_other_options_are_refused() -> None:
    where = ("--coordinator", f"localhost:{free_port()}", "--num-processes", 2, "--process-id")
    with one(1, "--seed", 1, *where, 1) as second, one(1, "--seed", 0, *where, 0) as first:
        ended = [process.communicate(timeout=120) for process in (first, second)]
    assert (first.returncode, second.returncode) == (2, 2)
    for out, err in ended:
        assert out == ""
        said = "Error: the processes were given different options; expected the same ones."
        assert err.splitlines()[-1] == said


@pytest.mark.slow
def test_a_process_that_goes_leaves_a_report() -> None:
    where = ("--coordinator", f"localhost:{free_port()}", "--num-processes", 2, "--process-id")
    with (
        one(1, "--cases", "1e14", *where, 1) as second,
        one(1, "--cases", "1e14", *where, 0) as first,
    ):
        time.sleep(25)  # far into it, on any machine
        second.kill()
        out, _ = first.communicate(timeout=120)
    assert first.returncode == 130
    found = json.loads(out)
    assert (0 < found["cases"] < found["requested"], found["verdict"]) == (True, "agree")


@pytest.mark.slow
def test_waiting_for_another_process_can_be_stopped() -> None:
    where = ("--coordinator", f"localhost:{free_port()}", "--num-processes", 2, "--process-id", 1)
    with one(1, *where, start_new_session=True) as process:
        time.sleep(8)  # JAX is imported by then, and waits for half a minute and more
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "Stopped."


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_with_a_report(number: int, code: int) -> None:
    with one(2, "--cases", "1e14", start_new_session=True) as process:
        time.sleep(20)  # far into it, on any machine
        os.killpg(process.pid, number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    found = json.loads(out)
    assert 0 < found["cases"] < found["requested"] == 10**14
    assert found["verdict"] == "agree"
    assert sum(part["elements"] for part in found["histogram"]) == 9 * found["cases"]
    assert len(found["suspects"]) == 3


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="VmHWM is Linux's")
def test_memory_is_flat() -> None:
    """Of the whole process, imports and judge included, in KiB.

    Not `ru_maxrss`: that is the parent's where the parent was larger when it started this one.
    """
    program = (
        "import pathlib, re; from compare import cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "print(re.search(r'VmHWM:\\s+(\\d+) kB', pathlib.Path('/proc/self/status').read_text())[1])"
    )
    most = []
    for cases in ("1e6", "1e7"):
        command = [sys.executable, "-c", program, "sweep", "--cases", cases, "--json"]
        out = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        most.append(int(out.splitlines()[-1]))
    assert max(most) < 2**20
    assert most[1] < 1.1 * most[0]


def test_the_report_as_json() -> None:
    ended = compare("sweep", "--cases", "1e4", "--json")
    assert (ended.code, ended.err, ended.out.count("\n")) == (0, "", 1)
    found = json.loads(ended.out)
    asked_for = "cases seconds cases_per_second disagreements max_ulps max_bound_ratio histogram"
    asked_for += " suspects devices processes dtype seed verdict"
    assert set(asked_for.split()) <= set(found)
    assert (found["cases"], found["disagreements"], found["verdict"]) == (10_000, 0, "agree")
    assert list(found["max_ulps"])[::8] == ["w1", "b3"]
    first = found["suspects"][0]
    assert {"case", "params", "inputs", "ruling"} <= set(first)
    assert first["ruling"] == "agree"
    again = compare("replay", "--case", first["case"], "--json")
    assert again.code == 0
    replayed = json.loads(again.out)
    assert (replayed["params"], replayed["inputs"]) == (first["params"], first["inputs"])
    assert replayed["ruling"]["verdict"] == "agree"
    assert replayed["trace"]["verdict"] == "agree"


def test_the_floor_is_timed_on_request() -> None:
    found = json.loads(compare("sweep", "--cases", "1e5", "--floor", "--json").out)
    assert found["floor_cases_per_second"] > 0  # which is faster, so few cases cannot say
    assert "Drawing and the loss alone: " in compare("sweep", "--cases", "1e5", "--floor").out
    network = ("--network", "3-2-1", "--cases", "1e4", "--floor", "--json")
    assert json.loads(compare("sweep", *network).out)["floor_cases_per_second"] > 0


def test_the_floor_evaluates_the_loss_by_hand() -> None:
    """The largest loss among ten cases, for both kinds of networks, as NumPy has it."""
    for settings in (swept(), swept(Network((3, 2, 1), "tanh"), 2)):
        with jax.enable_x64(True):
            found = float(evaluate_block(settings, 0, 10, 0, 0).ratio.max())
        losses = []
        for k in range(10):
            params, x, y = (one := case(settings, k)).params, one.x, one.y
            if settings.network is None:
                losses.append(manual.article.loss(manual.article.Parameters(*params), x, y))
            else:
                losses.append(manual.network.loss(settings.network, params, x, y))
        assert found == pytest.approx(max(losses), rel=1e-12)


def test_the_report_to_read() -> None:
    ended = compare("sweep", "--cases", 5000, "--plant", "exchanged")
    assert (ended.code, ended.err) == (1, "")
    lines = ended.out.splitlines()
    assert lines[0].startswith("Network 2-2-1, float64, with exchanged planted: weights uniform:5")
    assert "most ulps apart" in ended.out
    assert "█" in ended.out
    (closing,) = [line for line in lines if line.startswith("disagree: ")]
    assert "of 5,000 cases are further apart than rounding" in " ".join(
        lines[lines.index(closing) :]
    )


def test_a_planted_case_to_read() -> None:
    """w5 and w6 are exchanged: the judge says so, and the trace has the right derivation."""
    ended = compare("replay", "--case", 7, "--plant", "exchanged")
    assert (ended.code, ended.err) == (1, "")
    assert "handgrad's judge:" in ended.out
    assert "∂L/∂w5" in ended.out
    assert [line for line in ended.out.splitlines() if line.startswith("disagree: ")]


def test_a_case_of_another_network() -> None:
    words = ("--network", "3-2-2", "--activation", "tanh", "--loss", "softmax-ce")
    ended = compare("replay", "--case", 11, *words, "--json")
    assert ended.code == 0
    found = json.loads(ended.out)
    assert list(found["params"])[::5] == ["w0[0,0]", "w0[2,1]", "w1[1,0]"][:3]
    assert len(found["inputs"]["x"]) == 2
    assert all(sum(row) == 1 for row in found["inputs"]["y"])


BAD = {
    "--cases 0": "expected a whole number from 1 to 1e15",
    "--cases 1.5": "expected a whole number from 1 to 1e15",
    "--cases many": "expected a whole number from 1 to 1e15",
    "--weights uniform": "--weights 'uniform'; expected uniform:SIZE or spread:LOW:HIGH",
    "--inputs uniform:1e31": "--inputs: got uniform:1e+31, expected sizes from 1e-30 to 1e+30",
    "--weights uniform:1e5 --dtype float32": "expected sizes from 0.0001 to 10000 in float32",
    "--network 40-40-10": "a case has 2,150 numbers; expected at most 2,000",
    "--plant half-msee": "no such mistake (did you mean 'half-mse'?)",
    "--plant update-before-use": "a mistake of the training loop, around a right gradient",
    "--plant half-mse --network 3-3-1": "planted in the article's network; expected no other",
    "--sigmoid-derivative article --network 3-3-1": "beside another network than the article's",
    "--coordinator localhost:1": "expected all three, or none",
    "--coordinator garbage": "expected HOST:PORT, such as localhost:1234",
    "--coordinator localhost:1 --num-processes 2 --process-id 2": "expected a number from 0 to 1",
    "--loss bce --output sigmoid": "expected identity",
    "--dtype float16": "expected one of float64, float32",
}


@pytest.mark.parametrize("words", BAD)
def test_bad_input_gets_one_line(words: str) -> None:
    ended = compare("sweep", *words.split())
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("Error: ")
    assert ended.err.count("\n") == 1
    assert BAD[words] in ended.err


def test_a_sweep_says_what_it_swept() -> None:
    found: Swept = sweep(swept(Network((3, 2, 1)), 2, "float32", seed=3), 10)
    told = found.as_object([])
    assert (told["network"], told["dtype"], told["seed"]) == ("3-2-1", "float32", 3)
    assert (told["weights"], told["examples"]) == ("uniform:5", 2)
