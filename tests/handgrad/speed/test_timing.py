"""Timing a right gradient beside the one that JAX compiles."""

import json
import time
from itertools import count, pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad.data.names import Names
from handgrad.speed import rounds, timing
from handgrad.speed.compiled import Compiled, compiled, why_not
from handgrad.speed.rounds import Ratio, comparison, ratio, rival, time_rounds
from handgrad.speed.timing import time_gradient
from handgrad.speed.timings import NotTimedError, Timings, as_text, seconds
from tests.handgrad.reports import report
from tests.tiers import slowly

X, Y = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.25]]), np.array([1.0, 0.0, 2.0])
W = np.array([0.3, -0.7])

STILL = Ratio(1.0, 0.98, 1.03)


def loss(w: Any, x: Any, y: Any) -> Any:
    return jnp.mean((x @ w - y) ** 2)


def gradient(w: Any, x: Any, y: Any) -> Any:
    return 2 * x.T @ (x @ w - y) / len(y)


def slow(w: Any, x: Any, y: Any) -> Any:
    time.sleep(0.005)
    return gradient(w, x, y)


def timed(gradient: Any, loss: Any = loss, *point: Any, **options: Any) -> Timings:
    """The timings of few rounds; the gradient is taken to be right."""
    point = point or (W, X, Y)
    return time_gradient(gradient, loss, *point, report=report(), rounds=2, **options)


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(rounds, "SAMPLE_SECONDS", 0.001)


@pytest.mark.slow
def test_a_slow_gradient_is_slower_and_compiling_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call of it takes 5 ms at least, and one of autodiff 20 microseconds, by this clock."""
    assert timed(slow).yours >= 0.005

    def steady(running: Any, rounds: int, seconds: float) -> Any:
        _, last = time_rounds(running, 1, seconds)
        takes = {timing.YOURS: 0.005, timing.AGAIN: 0.005}
        return {name: [takes.get(name, 2e-5)] * rounds for name in running}, last

    monkeypatch.setattr(timing, "time_rounds", steady)
    found = timed(slow)
    autodiff, first = found.autodiff, found.first_call_of_autodiff
    assert autodiff
    assert found.on_device
    assert first
    assert found.compiled_loss
    assert (autodiff.comparison, found.on_device.comparison) == ("slower", "slower")
    assert autodiff.ratio.median == pytest.approx(250)
    assert autodiff.seconds < first
    spent, saved = first - autodiff.seconds, found.yours - autodiff.seconds
    assert autodiff.break_even == pytest.approx(spent / saved, abs=1)
    assert (found.rounds, found.static, found.not_compiled) == (2, (), None)


@pytest.mark.slow
def test_a_gradient_under_jit_has_a_first_call_of_its_own() -> None:
    point = jax.tree_util.tree_map(lambda a: jnp.asarray(a, dtype=jnp.float32), (W, X, Y))
    by_hand = jax.jit(lambda w, x, y: 2 * x.T @ (x @ w - y) / 3)
    by_hand(*point)
    found = timed(by_hand, loss, *point)
    assert found.first_call
    assert found.on_device is None, "JAX holds the arguments anyway"


@pytest.mark.parametrize("verdict", ["disagree", "undecidable"])
def test_only_a_right_gradient_gets_a_time(verdict: str) -> None:
    with pytest.raises(NotTimedError, match=f"{verdict}: a gradient gets a time once it is right"):
        time_gradient(gradient, loss, W, X, Y, report=report(verdict=verdict))


@pytest.mark.slow
def test_without_a_ruling_it_is_judged_first() -> None:
    with pytest.raises(NotTimedError, match="disagree"):
        time_gradient(lambda *a: gradient(*a) / 2, loss, W, X, Y)
    assert time_gradient(gradient, loss, W, X, Y, rounds=1).rounds == 1


@pytest.mark.slow
def test_the_last_answer_is_held_to_the_first() -> None:
    calls = count()

    def tiring(*arguments: Any) -> Any:
        return gradient(*arguments) * (1 if next(calls) < 3 else 2)

    with pytest.raises(NotTimedError, match="the last timed call did not answer"):
        timed(tiring)


@pytest.mark.slow
def test_with_the_loss_beside_the_gradient() -> None:
    found = timed(lambda *a: (np.float64(loss(*a)), gradient(*a)), has_value=True)
    assert found.autodiff


@pytest.mark.parametrize(
    ("loss", "inputs", "static"),
    [
        slowly(lambda w, x, k: jnp.sum(w * k * x[0]), (X, 2.5), ()),
        slowly(lambda w, x, n: sum(jnp.sum(w**k * x[0]) for k in range(n)), (X, 3), ("n",)),
        (lambda w, o: jnp.sum(w) if o["mean"] == "no" else w[0], ({"mean": "no"},), ("o['mean']",)),
        slowly(lambda w, x, i: jnp.sum(w * x[int(i[0])]), (X, np.array([1])), ("i",)),
        slowly(lambda w, i, o: jnp.sum(w[i]) if o == "sum" else w[0], (np.array([1]), "sum"),
               ("o",)),
        slowly(lambda w, x: jnp.sum(w) * float(x[0, 0]), (X,), ("x",)),
    ],
)  # fmt: skip
def test_what_must_stay_as_it_is_is_a_constant(loss: Any, inputs: Any, static: Any) -> None:
    with jax.enable_x64(True):
        found = compiled(loss, W, inputs, Names.of(loss, 1 + len(inputs)))
        assert isinstance(found, Compiled)
        assert found.static == static
        value, grads = found.autodiff(*found.arguments)
        expected = jax.grad(loss)(W, *inputs)
        np.testing.assert_allclose(value, loss(W, *inputs), rtol=1e-14)  # a few roundings
        np.testing.assert_allclose(grads, expected, rtol=1e-14)


@pytest.mark.slow
def test_a_numpy_loss_is_timed_alone() -> None:
    found = timed(gradient, lambda w, x, y: np.mean(np.square(x @ w - y)))
    assert (found.autodiff, found.on_device, found.compiled_loss) == (None, None, None)
    assert found.yours > 0
    assert found.loss > 0
    assert "np.square" in str(found)
    assert "nothing to compare with" in str(found)


@pytest.mark.slow
def test_a_loss_that_asks_for_values_is_differentiated_as_it_stands() -> None:
    found = timed(gradient, lambda w, x, y: loss(w, x, y) if w[0] > 0 else 0 * w[0])
    assert found.autodiff
    assert found.autodiff.break_even is None
    assert found.first_call_of_autodiff is None
    assert "  value_and_grad(loss) " in str(found)
    assert "The loss cannot be compiled: " in str(found)


def test_why_not_is_one_sentence() -> None:
    assert why_not(KeyError("x")) == "The loss cannot be compiled: KeyError: 'x'."


@pytest.fixture
def no_collection(monkeypatch: pytest.MonkeyPatch) -> None:
    """The collection before the rounds, which takes long beside all that the tests have loaded."""
    monkeypatch.setattr(rounds.gc, "collect", lambda: 0)


@pytest.mark.usefixtures("no_collection")
def test_rounds_alternate_and_the_answers_are_those_of_the_last_call() -> None:
    asked: list[str] = []
    running = {name: lambda name=name: asked.append(name) or len(asked) for name in "ab"}
    times, last = time_rounds(running, 2, 60.0)
    assert {name: len(samples) for name, samples in times.items()} == {"a": 2, "b": 2}
    changes = [b for a, b in pairwise(asked) if a != b]
    assert changes[-2:] == ["b", "a"], "a b, b a"
    assert last["a"] == len(asked)


@pytest.mark.usefixtures("no_collection")
def test_no_round_begins_after_the_time() -> None:
    times, _ = time_rounds({"a": lambda: None}, 5, 0.0)
    assert len(times["a"]) == 1


def test_a_sample_is_the_mean_of_its_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([1.0, 7.0])
    monkeypatch.setattr(rounds.time, "perf_counter", lambda: next(ticks))
    assert rounds.sample(lambda: "x", 3, waits=False) == (2.0, "x")


def test_the_bounds_of_a_ratio() -> None:
    """Of 15, the fourth from either end: 1 - 2 (1 + 15 + 105 + 455) / 2¹⁵ = 0.965."""
    found = ratio([float(i) for i in range(15, 0, -1)], [1.0] * 15)
    assert found == Ratio(8.0, 4.0, 12.0)
    assert ratio([2.0, 4.0], [1.0, 1.0]) == Ratio(3.0, 2.0, 4.0)
    assert ratio([1.0, 8.0, 4.0], [1.0, 2.0, 2.0]).median == 2.0, "within the rounds"


def test_the_bounds_enclose_the_median_as_often_as_they_say() -> None:
    """Of 2000 draws 95 % and more; three standard deviations of that number are 1.5 %."""
    rng = np.random.default_rng(0)
    found = [ratio(rng.exponential(size=15).tolist(), [1.0] * 15) for _ in range(2000)]
    assert np.mean([r.low <= np.log(2) <= r.high for r in found]) > 0.935


@pytest.mark.parametrize(
    ("between", "noise", "word"),
    [
        (Ratio(1.2, 1.1, 1.3), STILL, "slower"),
        (Ratio(1.2, 1.02, 1.3), STILL, "as fast"),
        (Ratio(1.0, 0.9, 1.1), STILL, "as fast"),
        (Ratio(0.8, 0.7, 0.9), STILL, "faster"),
        (Ratio(0.8, 0.7, 0.98), STILL, "as fast"),
        (Ratio(1.2, 1.1, 1.3), Ratio(1.0, 0.5, 1.0), "as fast"),
    ],
)
def test_a_difference_is_one_beyond_the_noise(between: Ratio, noise: Ratio, word: str) -> None:
    assert comparison(between, noise) == word


@pytest.mark.parametrize(
    ("yours", "late", "calls"),
    [
        (3.0, 10.0, 5),  # 2 s saved by a call of autodiff
        (3.0, 9.0, 5),
        (3.0, -1.0, 0),
        (0.5, 10.0, 0),
        (0.5, -10.0, 20),  # half a second saved by a call of yours
        (1.0, 10.0, None),
        (3.0, None, None),
    ],
)
def test_break_even(yours: float, late: float | None, calls: int | None) -> None:
    assert rival([yours] * 6, [1.0] * 6, STILL, late).break_even == calls


def test_what_both_spend_on_their_first_call_counts() -> None:
    """Autodiff's takes 8 s more than another call of it, yours 2 s."""
    spent = timing._Contest({}, KeyError(), first_call=3.0, first_call_of_autodiff=10.0)
    assert timing._late(spent, {"yours": [1.0], "autodiff": [2.0]}) == 6.0


def shown(yours: float, late: float = 10.0, **changes: Any) -> Timings:
    beside = rival([yours] * 6, [1e-3] * 6, STILL, late)
    fields: dict[str, Any] = {
        "yours": yours,
        "first_call": None,
        "autodiff": beside,
        "on_device": None,
        "first_call_of_autodiff": 10.0,
        "loss": 2e-5,
        "compiled_loss": 3.14159e-7,
        "noise": STILL,
        "static": (),
        "not_compiled": None,
        "device": "cpu",
        "rounds": 6,
    }
    return Timings(**fields | changes)


def test_how_it_reads() -> None:
    assert as_text(shown(4.321e-3, on_device=rival([2e-3] * 6, [1e-3] * 6, STILL, 10.0))) == (
        "What one call takes (cpu, the medians of 6 rounds):\n"
        "  yours                        4.32 ms\n"
        "  jit(value_and_grad(loss))    1.00 ms  and its first one 10.0 s\n"
        "    its arguments held by JAX  1.00 ms\n"
        "  loss                         20.0 µs\n"
        "  jit(loss)                     314 ns\n"
        "Yours takes 4.32 times as long as jit(value_and_grad(loss)) (4.32 to 4.32), and\n"
        "takes 2.00 times as long as it where JAX holds the arguments (2.00 to 2.00).\n"
        "Beside itself it takes 0.98 to 1.03 times as long: noise.\n"
        "Autodiff has paid for its compilation after about 3,000 calls.\n"
        "Where JAX holds the arguments: Autodiff has paid for its compilation after about\n"
        "10,000 calls."
    )


@pytest.mark.parametrize(
    ("timings", "text"),
    [
        (shown(1e-3), "Yours is as fast as jit(value_and_grad(loss)) (1.00 times as long, "),
        (shown(1e-3), "\nCompiling autodiff saves no time."),
        (shown(1e-4), "Yours takes 0.1 times as long"),
        (shown(1e-4), "\nAutodiff never pays for its compilation: a call of yours is faster."),
        (shown(1e-4, -1.0), "\nYours has paid for its longer compilation after about 1,100 calls."),
        (shown(2e-3, -1.0), "\nAutodiff has paid for its compilation with its first call."),
        (shown(1.0), "Yours takes 1,000 times as long as"),
        (shown(1.0), "after 11 calls."),
        (shown(1.0, static=("inputs[0]", "inputs[2]")), "\ninputs[0], inputs[2] are constants of"),
        (
            shown(1.0, first_call=2.0),
            "  yours                       1.00 s  and its first one 2.00 s",
        ),
    ],
)
def test_what_it_says(timings: Timings, text: str) -> None:
    assert text in str(timings)
    assert max(map(len, str(timings).splitlines())) <= 80


@pytest.mark.parametrize(
    ("value", "text"),
    [(2.384e-6, "2.38 µs"), (9.996e-6, "10.0 µs"), (9.9996e-4, "1.00 ms"), (0.0356, "35.6 ms"),
     (0.9994, "999 ms"), (12.0, "12.0 s"), (1234.0, "1234 s"), (5e-9, "5.00 ns")],
)  # fmt: skip
def test_seconds(value: float, text: str) -> None:
    assert seconds(value) == text


def test_what_is_the_same_for_both_is_said_once() -> None:
    both = shown(1e-4, on_device=rival([1e-4] * 6, [9e-4] * 6, STILL, 10.0))
    assert str(both).count("never pays") == 1
    assert "takes 0.1 times as long as jit" in str(both)
    assert "takes 0.111 times as long as it" in str(both)


def test_as_data() -> None:
    data = json.loads(json.dumps(shown(1e-4).to_dict(), allow_nan=False))
    assert data["autodiff"]["comparison"] == "faster"
    assert data["noise"] == {"median": 1.0, "low": 0.98, "high": 1.03}
    assert set(data) == {"schema", *timing.Timings.__dataclass_fields__}
