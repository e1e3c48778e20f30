"""What the page shows beside its tape: JAX's program of the same loss, and the tape in Python."""

import re
from functools import partial
from itertools import pairwise
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import jax
import numpy as np
from jax.ad_checkpoint import checkpoint_name
from jax.extend.core import Literal

import autodiff.article
import autodiff.network
from autodiff.intermediates import See
from compare.trace import Trace
from compare.traced.kinds import KINDS, network_of

DOCUMENT = Path(__file__).parents[1] / "docs" / "autodiff.md"

#: The parameters of primitives that are shown; others are about shapes, types and devices.
_SHOWN = ("y", "axes", "start_indices")


def listing() -> str:
    """Return the tape in Python from docs/autodiff.md, whose blocks the tests run."""
    blocks = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    parts = [of for of in blocks if re.search(r"^class Number|^def backward", of, re.MULTILINE)]
    return "\n\n".join(parts)


def jaxpr(trace: Trace) -> dict[str, Any]:
    """Return the jaxpr of autodiff's loss, of the network that was traced.

    Returns:
        `given`: pairs of JAX's letter and our name of each input; `lines`: for each equation its
        `text`, its `primitive`, and the first named value that it is `part_of`: z1, or z0 of all
        units of a layer.
    """
    names, shapes, loss = _of_article() if "loss" not in trace.about else _of_network(trace)
    with jax.enable_x64(True):
        zeros = [np.zeros(shape) for shape in shapes]
        found = jax.make_jaxpr(partial(loss, _marked))(*zeros).jaxpr
    called = {var: _letters(at) for at, var in enumerate(found.invars)}
    lines: list[dict[str, Any]] = []
    for equation in found.eqns:
        operands = [
            f"{of.val:g}" if isinstance(of, Literal) else called[of] for of in equation.invars
        ]
        (result,) = equation.outvars
        if equation.primitive.name == "name":  # only marks what has been computed
            called[result] = operands[0]
            for line in lines:
                line["part_of"] = line["part_of"] or equation.params["name"]
            continue
        called[result] = _letters(len(names) + len(lines))
        primitive, text = _operation(equation)
        text = " ".join([called[result], "=", text, *operands])
        lines.append({"text": text, "primitive": primitive, "part_of": None})
    given = [[called[var], name] for var, name in zip(found.invars, names, strict=True)]
    return {"given": given, "lines": [of | {"part_of": of["part_of"] or "L"} for of in lines]}


#: `See` that leaves a mark in the jaxpr.
def _marked(name: str, value: Any) -> Any:
    return checkpoint_name(value, name)


def _operation(equation: Any) -> tuple[str, str]:
    """Return its name, and the name with parameters; a function that is called has its own."""
    params = equation.params
    name = params.get("name", equation.primitive.name)
    shown = [f"{key}={params[key]}" for key in _SHOWN if key in params]
    return name, name + (f"[{' '.join(shown)}]" if shown else "")


def _letters(at: int) -> str:
    """Return a, b, ..., z, ba, bb, ..., as JAX names what it prints."""
    return (_letters(at // 26) if at >= 26 else "") + ascii_lowercase[at % 26]


#: The inputs' names and shapes, and the loss as a function of `See` and the inputs.
_Loss = tuple[list[str], list[tuple[int, ...]], Any]


def _of_article() -> _Loss:
    names = list(autodiff.article.Parameters._fields)

    def loss(see: See, *given: Any) -> Any:
        *params, x, y = given
        return autodiff.article.loss(autodiff.article.Parameters(*params), x, y, see)

    return [*names, "x", "y"], [*[()] * len(names), (2,), ()], loss


def _of_network(trace: Trace) -> _Loss:
    sizes = tuple(map(int, trace.about["network"].split("-")))
    network = network_of(sizes, {kind: trace.about[kind] for kind in KINDS})
    layers = list(pairwise(sizes))
    names = [f"{letter}{at}" for at in range(len(layers)) for letter in "wb"]
    shapes = [shape for n_in, n_out in layers for shape in ((n_in, n_out), (n_out,))]

    def loss(see: See, *given: Any) -> Any:
        *arrays, x, y = given
        params = [autodiff.network.Layer(*of) for of in zip(*[iter(arrays)] * 2, strict=True)]
        return autodiff.network.loss(network, params, x, y, see)

    return [*names, "x", "y"], [*shapes, (1, sizes[0]), (1, sizes[-1])], loss
