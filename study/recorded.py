"""What JAX records of the article's loss, which it then goes back through, row by row."""

from typing import Any

import jax
import numpy as np
from jax.ad_checkpoint import checkpoint_name
from jax.extend.core import Literal

import autodiff.article
from autodiff.article import Parameters


def recorded() -> list[list[str]]:
    """Return what JAX records of one loss: [name, operation, operands] of each row."""
    rows: list[list[str]] = []

    def of_nine(params: Any, x: Any, y: Any) -> Any:
        return autodiff.article.loss(params, x, y, lambda name, value: checkpoint_name(value, name))

    with jax.enable_x64(True):
        nine = Parameters(*np.zeros(9))
        found = jax.make_jaxpr(of_nine)(nine, np.zeros(2), np.zeros(())).jaxpr
    called = dict(zip(found.invars, [*Parameters._fields, "x", "y"], strict=True))
    for of in found.eqns:
        operands = [f"{x.val:g}" if isinstance(x, Literal) else called[x] for x in of.invars]
        if of.primitive.name == "name":  # only says what the row before it is
            rows[-1][0] = called[of.outvars[0]] = of.params["name"]
            continue
        name = f"v{len(rows) + 1}"
        called[of.outvars[0]] = name
        operation = [of.params.get("name", of.primitive.name), *of.params.get("start_indices", ())]
        rows.append([name, " ".join(map(str, operation)), " ".join(operands)])
    return rows
