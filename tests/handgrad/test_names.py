"""What leaves are called: by the names of the arguments of the function that is differentiated."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_backward, check_custom, check_gradient, check_steps, time_gradient
from handgrad.data.findings import Diagnosis
from handgrad.data.names import Names, argument_names, numbered
from handgrad.render import content
from tests.handgrad.reports import leaf, wrong

W, X = np.array([0.5, -1.5]), np.array([1.0, 3.0])


class Loss:
    def __call__(self, weights: Any, x: Any) -> Any:
        return jnp.sum(weights * x)

    def method(self, w: Any, x: Any) -> Any:
        return jnp.sum(w * x)


def loss(w: Any, x: Any) -> Any:
    return jnp.sum(w * x)


class Nameless:
    """A function of C may have no signature."""

    __signature__ = "none"

    def __call__(self, *_: Any) -> Any:
        raise NotImplementedError


OTHERWISE = ("params", "inputs[0]", "inputs[1]")

FUNCTIONS: list[tuple[Callable[..., Any], int, tuple[str, ...]]] = [
    (loss, 2, ("w", "x")),
    (jax.jit(loss), 2, ("w", "x")),
    (Loss(), 2, ("weights", "x")),
    (Loss().method, 2, ("w", "x")),
    (partial(loss, W), 1, ("x",)),
    (partial(loss, x=X), 1, ("w",)),
    (lambda w, *data: w, 3, ("w", "data[0]", "data[1]")),
    (lambda *args: args, 2, ("args[0]", "args[1]")),
    (lambda w, _, *__: w, 3, ("w", "inputs[0]", "inputs[1]")),
    (loss, 3, OTHERWISE),
    (Nameless(), 3, OTHERWISE),
    (lambda w, /, x, *, k=1: w, 2, ("w", "x")),
]


@pytest.mark.parametrize(("function", "count", "names"), FUNCTIONS)
def test_the_names_of_arguments(
    function: Callable[..., Any], count: int, names: tuple[str, ...]
) -> None:
    assert argument_names(function, count, OTHERWISE) == names
    assert len(numbered("args", count)) == count


def paths(report: Any) -> list[str]:
    return [leaf.path for leaf in report.leaves]


def test_of_a_gradient() -> None:
    found = check_gradient(lambda w, x: -x, loss, W, X, points=0)
    assert paths(found) == [d.leaves[0] for d in found.diagnoses] == ["w"]
    assert found.headline.startswith("disagree: w: ")
    assert found.findings[0].leaf == "w"
    assert {p.where.partition("[")[0] for p in found.power().planted if p.mistake == "sign"} == {
        "w"
    }
    assert "\n    w = np." in str(found.counterexample)

    of_dict: Any = lambda theta, x: jnp.sum(theta["w"] * x) + theta["b"]  # noqa: E731 (lambdas have names of arguments, too)
    theta = {"w": W, "b": 1.0}
    wrong = check_gradient(lambda t, x: {"w": -x, "b": 1.0}, of_dict, theta, X, points=0)
    assert paths(wrong) == ["theta['b']", "theta['w']"]
    assert wrong.findings[0].leaf == "theta['w']"
    form = check_gradient(lambda t, x: {"w": x, "c": 1.0}, of_dict, theta, X, points=0)
    assert form.headline == (
        "disagree: theta['b']: the gradient returned a dict of 'w', 'c' with no gradient of "
        "theta['b'] and something at grads['c']; theta is a dict of 'w', 'b'"
    )
    without: Any = Nameless()
    assert Names.of(without, 2) == Names("params", ("inputs[0]",))


@pytest.mark.usefixtures("own_garbage")
def test_of_the_inputs() -> None:
    def spoils(_: Any, x: Any) -> Any:
        x["a"] += 1
        return x["a"] - 1

    of_dict: Any = lambda w, data: jnp.sum(w * data["a"])  # noqa: E731 (lambdas have names of arguments, too)
    (finding,) = check_gradient(spoils, of_dict, W, {"a": X}, points=0).findings
    assert (finding.kind, finding.leaf) == ("mutation", "data['a']")

    static: Any = lambda w, n: sum(jnp.sum(w) for _ in range(n))  # noqa: E731 (lambdas have names of arguments, too)
    timed = time_gradient(lambda w, n: 0 * w + n, static, W, 3, rounds=1)
    assert timed.static == ("n",)


def test_of_a_step_and_of_a_custom_rule() -> None:
    def forward(x: Any, layer: Any) -> Any:
        return x * layer["w"], (x, layer["w"])

    def backward(d: Any, cache: Any) -> Any:
        x, w = cache
        return d * w, {"w": -d * x}

    report = check_backward(forward, backward, X, {"w": W}, points=0)
    assert paths(report) == ["x", "layer['w']"]
    assert report.headline.startswith("disagree: layer['w']: ")
    steps = check_steps([("scale", forward, backward, ({"w": W},))], X, points=0)
    assert paths(steps.steps[0].report) == ["x", "layer['w']"]
    form = check_backward(forward, lambda d, cache: (d, d, d), X, {"w": W}, points=0)
    assert form.headline.endswith("something at grads[2]; inputs is a list of 2")

    f = jax.custom_jvp(lambda x, *rest: x * rest[0])
    f.defjvp(lambda at, d: (f(*at), d[0] * at[1] - d[1] * at[0]))
    assert paths(check_custom(f, X, W, points=0)) == ["x", "rest[0]"]


@pytest.mark.parametrize(
    ("says", "shown"),
    [
        ("yours is a mean where it should be a sum", "In a, yours is a mean where it should be"),
        ("yours is 0 in a", "Yours is 0 in a."),
        ("a is left out of the forward pass", "a is left out of the forward pass."),
        ("a whole row is 0", "In a, a whole row is 0."),
        ("a[0] and a[1] are exchanged", "a[0] and a[1] are exchanged."),
        ("yours is data is what", "In a, yours is data is what."),
    ],
)
def test_a_leaf_that_is_called_like_a_word(says: str, shown: str) -> None:
    """`a` is an article as well: the sentence must still say where the mistake is."""
    made = wrong(leaf("a", verdict="disagree")).reading
    made = replace(made, leaves=made.leaves[1:], diagnoses=(Diagnosis("unknown", says, ("a",)),))
    (text,) = content.diagnoses(made)
    assert text.startswith(shown)
