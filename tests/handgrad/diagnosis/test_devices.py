"""A factor that is the number of devices is told as a psum too many, or one that is missing."""

from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AbstractMesh, AxisType
from jax.sharding import PartitionSpec as P

from handgrad.data.findings import Diagnosis
from handgrad.data.point import point_at
from handgrad.diagnosis.devices import with_devices
from handgrad.judging.case import Case
from handgrad.judging.jax_loss import JaxLoss

#: Six devices, three of them in a row; a mesh without any, which tracing takes.
MESH = AbstractMesh((2, 3), ("data", "model"), axis_types=(AxisType.Auto,) * 2)


def on_devices(w: Any) -> Any:
    parts = jax.shard_map(lambda w: w * w, mesh=MESH, in_specs=P("model"), out_specs=P("model"))
    return jnp.sum(parts(w))


def said(says: str, loss: Any = on_devices, kind: str = "factor") -> str:
    """What is added to a diagnosis."""
    given = point_at(np.ones(3), ())
    of_loss = JaxLoss(Case(loss, loss))
    trial: Any = SimpleNamespace(loss=of_loss, outcomes=[SimpleNamespace(given=given)], deciding=0)
    (named,) = with_devices((Diagnosis(kind, says, ("w",)),), trial)
    return named.says.removeprefix(says)


@pytest.mark.parametrize(
    ("says", "added"),
    [
        ("w is 6 times exact", "; 6 is the number of devices: a psum too many, or one for a pmean"),
        (
            "w is 3 times exact",
            "; 3 is the number of devices along model: a psum too many, or one for a pmean",
        ),
        (
            "w is 1/6 of exact",
            "; 6 is the number of devices: a psum is missing, or it has a pmean for it",
        ),
        ("w is 5 times exact", ""),
        ("w is 1/5 of exact", ""),
        ("w is 0.6 of exact", ""),
        ("w is 1.6 times exact", ""),
        ("w is -6 times exact", ""),
    ],
)
def test_a_factor_by_the_axes_of_a_mesh(says: str, added: str) -> None:
    assert said(says) == added


def test_other_kinds_and_losses_of_one_device_are_left_alone() -> None:
    assert said("w is 6 times exact", kind="unknown") == ""
    assert said("w is 6 times exact", lambda w: jnp.sum(w * w)) == ""
