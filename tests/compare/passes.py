"""Passes through networks of many shapes, each computed once."""

from functools import cache

from compare.trace import Trace
from compare.traced.request import PassRequest

#: By what is particular about each.
NETWORKS: dict[str, PassRequest] = {
    "the article's": PassRequest(person="alice"),
    "one edge": PassRequest(sizes=(1, 1), x=(2.0,), y=(0.0,), seed=3),
    "relu": PassRequest(sizes=(2, 3, 1), x=(1.0, -2.0), y=(0.5,), activation="relu", seed=4),
    "identity output": PassRequest(
        sizes=(3, 4, 2),
        x=(0.5, -1.0, 2.0),
        y=(1.0, 0.0),
        activation="tanh",
        loss="bce",
        l2=0.01,
        seed=7,
    ),
    "gelu": PassRequest(sizes=(2, 3, 2), x=(1.0, -2.0), y=(0.5, 0.1), activation="gelu", seed=6),
    "classes": PassRequest(
        sizes=(2, 3, 3), x=(1.0, -2.0), y=(0.0, 1.0, 0.0), loss="softmax-ce", seed=8
    ),
    "huber": PassRequest(
        sizes=(2, 3, 2), x=(1.0, -2.0), y=(9.0, 0.1), activation="leaky-relu", loss="huber", seed=10
    ),
}


@cache
def trace(name: str) -> Trace:
    return NETWORKS[name].trace()
