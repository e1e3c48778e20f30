"""Every verdict can be otherwise: a number that is off in the twelfth digit is not passed."""

from collections.abc import Iterator
from typing import Any

import jax
import jax.monitoring
import numpy as np
import pytest

import manual.article
from compare.people import PEOPLE, raw, shifted, targets
from compare.trace import Trace
from compare.traced.article import trace_article
from compare.traced.network import trace_network
from compare.traced.witnesses import Check, Witnesses
from handgrad.clock import Clock
from manual.network import Network
from tests.compare.traced.test_network import QUICK, drawn, title, traced
from tests.tiers import one_of_each, slowly


def sharp(value: float, span: Any, off: float) -> bool:
    """Whether bounds have the value, and not its neighbours that are off by so much of it."""
    near = (value * (1 + off), value * (1 - off))
    return bool(span.contains(value)) and (not value or not any(map(span.contains, near)))


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> dict[str, Check]:
    """What the verdicts of the traces that a test takes were made from, by name."""
    made: dict[str, Check] = {}

    def noted(self: Any, meaning: Any, check: Any = Witnesses.check) -> Check:
        made[meaning.name] = check(self, meaning)
        return made[meaning.name]

    monkeypatch.setattr(Witnesses, "check", noted)
    return made


def check_all(trace: Trace, checks: dict[str, Check], off: float) -> int:
    """How many numbers were looked at; by hand and by autodiff each is held to its own bounds."""
    computed = [q for q in trace.quantities.values() if q.formula]
    for quantity in computed:
        check = checks[quantity.name]
        assert sharp(quantity.by_hand, check.hand_bounds, off), quantity.name
        assert sharp(check.autodiff, check.autodiff_bounds, off), quantity.name
    return len(computed)


@pytest.mark.parametrize("form", ["stable", slowly("article")])
def test_of_the_articles_network(form: str, checks: dict[str, Check]) -> None:
    """Where no unit is saturated; there, the other form of σ' keeps fewer digits, and may."""
    params = 0.3 * np.array(manual.article.draw_parameters(44))
    for x, y in zip(shifted(raw(PEOPLE)) / 10, targets(PEOPLE), strict=True):
        trace = trace_article(params, x, float(y), form)
        assert check_all(trace, checks, off=1e-12) == 40


@pytest.mark.slow
@pytest.mark.parametrize("network", one_of_each(QUICK, [QUICK[1]]), ids=title)
def test_of_any_network(network: Network, checks: dict[str, Check]) -> None:
    """Its formulas too; bounds are wider, and allow for sums that cancel."""
    assert check_all(traced(network), checks, off=1e-10) >= 15


def test_bob_is_held_to_all_his_digits_by_hand_alone(checks: dict[str, Check]) -> None:
    """Where σ(1 - σ) has lost its digits, the lines that lose none are still held to them."""
    ones = np.array(manual.article.ones_parameters())
    x, y = np.array([25.0, 6.0]), 0.0
    trace = trace_article(ones, x, y)
    check = checks["dL_dw1"]
    value = trace.quantities["dL_dw1"].by_hand
    assert sharp(value, check.hand_bounds, 1e-12)
    assert check.autodiff_bounds.contains(value * (1 + 1e-8))
    assert not check.autodiff_bounds.contains(2 * value)


@pytest.mark.slow
def test_exact_values_depend_on_no_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a slow machine the referee may take a shorter way; not here, where digits are printed."""
    network = Network((2, 3, 2, 1), "relu", "identity", "mse")
    point = drawn(network, seed=1)
    before = exact(trace_network(network, *point))
    seconds = iter(range(10**6))
    monkeypatch.setattr(Clock, "spent", property(lambda _: 100.0 * next(seconds)))
    assert exact(trace_network(network, *point)) == before
    assert "0" in before.values()  # a unit that is off


def exact(trace: Trace) -> dict[str, str | None]:
    return {name: quantity.exact for name, quantity in trace.quantities.items()}


@pytest.mark.slow
def test_a_network_is_compiled_once_however_many_examples(compilations: list[str]) -> None:
    """A page that shows four people, or a reader who moves a weight, waits once."""
    of_its_own = {"sizes": (2, 2, 1), "activation": "tanh", "output": "identity", "l2": 0.03125}
    network = Network(**of_its_own, loss="mse")  # no other test's, so compiled here
    params, x, y = drawn(network)
    trace_network(network, params, x, y)
    assert compilations
    compilations.clear()
    trace_network(Network(**of_its_own, loss="mse"), params, x + 1, y)
    assert not compilations


@pytest.fixture
def compilations() -> Iterator[list[str]]:
    """What XLA is asked to compile, or what is read of what it has compiled, as it happens."""
    seen: list[str] = []

    def listen(event: str, duration_secs: float, **kwargs: str | int) -> None:
        del duration_secs, kwargs
        if event.endswith("backend_compile_duration"):
            seen.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield seen
    jax.monitoring.unregister_event_duration_listener(listen)
