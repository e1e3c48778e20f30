"""The command `sweep`: what it prints of many cases, and of one."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import jax
import pytest

import manual.article
import manual.network
from compare import terminal
from compare.sweep.cases import BLOCK
from compare.sweep.program import evaluate_block
from compare.sweep.replay import case
from compare.sweep.run import sweep
from manual.network import Network
from tests.compare.networks.calls import compare
from tests.compare.sweep.blocks import swept


@pytest.mark.slow
def test_the_report_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    sweeps: list[Any] = []

    def kept(*words: Any) -> Any:
        sweeps.append(sweep(*words))
        return sweeps[0]

    monkeypatch.setattr("compare.sweep.run.sweep", kept)
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
    again = compare("sweep", "--case", first["case"], "--json")
    assert again.code == 0
    replayed = json.loads(again.out)
    assert (replayed["params"], replayed["inputs"]) == (first["params"], first["inputs"])
    assert replayed["ruling"]["verdict"] == "agree"
    assert replayed["trace"]["verdict"] == "agree"
    # The same sweep as a text to read.
    monkeypatch.setattr("compare.sweep.run.sweep", lambda *_: sweeps[0])
    assert "\nagree: " in compare("sweep", "--cases", "1e4").out
    few = replace(sweeps[0], judged=sweeps[0].judged | {"w2": 17})
    monkeypatch.setattr("compare.sweep.run.sweep", lambda *_: few)
    says = " ".join(compare("sweep", "--cases", "1e4").out.split())
    assert says.endswith("; of w2 only 0.17 % of the elements are larger than that")
    # Where the two sides agree, the judge has the last word.
    assert sweeps[0].verdict(["agree", "imprecise"]) == "agree"
    assert sweeps[0].verdict(["agree", "disagree"]) == "disagree"


@pytest.mark.slow
def test_the_floor_is_timed_on_request() -> None:
    found = json.loads(compare("sweep", "--cases", "1e4", "--floor", "--json").out)
    assert found["floor_cases_per_second"] > 0  # which is faster, so few cases cannot say
    assert "Drawing and the loss alone: " in compare("sweep", "--cases", "1e4", "--floor").out


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_planted_case_to_read() -> None:
    """w5 and w6 are exchanged: the judge says so, and the trace has the right derivation."""
    ended = compare("sweep", "--case", 7, "--plant", "exchanged")
    assert (ended.code, ended.err) == (1, "")
    assert "handgrad's judge:" in ended.out
    assert "∂L/∂w5" in ended.out
    assert [line for line in ended.out.splitlines() if line.startswith("disagree: ")]


@pytest.mark.slow
def test_a_case_of_another_network() -> None:
    words = ("--network", "3-2-2", "--activation", "tanh", "--loss", "softmax-ce")
    ended = compare("sweep", "--case", 11, *words, "--json")
    assert ended.code == 0
    found = json.loads(ended.out)
    assert list(found["params"])[::5] == ["w0[0,0]", "w0[2,1]", "w1[1,0]"][:3]
    assert len(found["inputs"]["x"]) == 2
    assert all(sum(row) == 1 for row in found["inputs"]["y"])


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_with_a_report(
    number: int, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its third step."""
    monkeypatch.setattr("compare.sweep.run._ELEMENTS", 9 * 4 * BLOCK)
    progress = terminal.progress

    @contextmanager
    def signalled(*words: Any, **options: Any) -> Iterator[Any]:
        steps: list[int] = []

        def told(done: int, *others: Any) -> None:
            show(done, *others)
            steps.append(done)
            if len(steps) == 3:
                signal.raise_signal(number)

        with progress(*words, **options) as show:
            yield told

    monkeypatch.setattr(terminal, "progress", signalled)
    ended = compare("sweep", "--cases", "1e14", "--json")
    assert (ended.code, ended.err) == (code, "")
    found = json.loads(ended.out)
    assert (found["cases"], found["requested"]) == (4 * 4 * BLOCK * found["devices"], 10**14)
    assert found["verdict"] == "agree"
    assert sum(part["elements"] for part in found["histogram"]) == 9 * found["cases"]
    assert len(found["suspects"]) == 3


@pytest.mark.slow
def test_a_sweep_says_what_it_swept() -> None:
    of = swept(Network((3, 2, 1)), 2, "float32", seed=3)
    told = replace(sweep(swept(), 10), settings=of).as_object([])
    assert (told["network"], told["dtype"], told["seed"]) == ("3-2-1", "float32", 3)
    assert (told["weights"], told["examples"]) == ("uniform:5", 2)
