"""What `handgrad check` is asked besides the verdict: --plant, --counterexample, --time."""

import json
import re
from typing import Any

import pytest

from handgrad.commands.extras import EXTRAS

MINE = """
import jax.numpy as jnp
import numpy as np


def loss(w, x, y):
    return jnp.mean((x @ w - y) ** 2)


def gradient(w, x, y):
    print("a word while judging")
    return 2 * x.T @ (x @ w - y) / len(y)


def wrong(w, x, y):
    print("a word while judging")
    return 2 * x.T @ (x @ w - y)


example = (
    np.array([0.3, -0.7]),
    np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.25]]),
    np.array([1.0, 0.0, 2.0]),
)
"""


@pytest.fixture
def check(check: Any, short_samples: None) -> Any:  # noqa: ARG001 (what is measured stays short)
    """At the example alone."""
    return lambda gradient, *words: check(gradient, "--points=0", *words)


@pytest.mark.slow
def test_the_counterexample_is_a_test_that_fails(check: Any) -> None:
    ended = check("wrong", "--counterexample")
    report, _, code = ended.out.partition("\n\nA test that fails, as small as it was found:\n\n")
    assert (ended.code, report[:9]) == (1, "disagree:")
    assert "a word" not in ended.out
    answer = json.loads(check("wrong", "--counterexample", "--json").out)
    assert "from mine import" in answer["counterexample"]
    names: dict[str, Any] = {}
    exec(compile(code, "counterexample.py", "exec"), names)
    (test,) = (f for name, f in names.items() if name.startswith("test_"))
    with pytest.raises(AssertionError, match="disagree"):
        test()


@pytest.mark.slow
def test_all_at_once_in_a_fixed_order(check: Any) -> None:
    """Whichever is asked for first; none depends on what another finds."""
    ended = check("gradient", "--counterexample", "--plant", "--time")
    assert "would have been caught at 1 point." in ended.out
    # In the one leaf, and in whatever links there are.
    assert re.search(r"^sign +(\d+) of \1$", ended.out, flags=re.M)
    assert "a word" not in ended.out
    places = [
        ended.out.index(text)
        for text in ("agree: ", "What one call takes", "planted mistakes", "No counterexample")
    ]
    assert places == sorted(places)
    assert ended.code == 0


@pytest.mark.slow
def test_all_at_once_as_one_json_object(check: Any) -> None:
    ended = check("wrong", "--json", "--time", "--plant", "--counterexample")
    answer = json.loads(ended.out)
    assert (ended.code, ended.out.count("\n")) == (1, 1)
    assert [key for key in answer if key in {extra.key for extra in EXTRAS.values()}] == [
        *("timings", "power", "counterexample")
    ]
    assert answer["timings"] == {"not_timed": "disagree: a gradient gets a time once it is right"}
    assert answer["diagnoses"][0]["kind"] == "factor"
    assert answer["power"]["points"] == 1
    assert {"mistake": "sign", "where": "w", "caught": True, "change": 2.0} in answer["power"][
        "planted"
    ]
    assert "a word" not in ended.out
