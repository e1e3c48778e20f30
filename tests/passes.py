"""Passes through networks of many shapes, each computed once."""

from functools import cache

from compare.trace import Trace
from compare.traced.asked import Asked

#: By what is particular about each.
NETWORKS: dict[str, Asked] = {
    "the article's": Asked(person="alice"),
    "with the article's derivative": Asked(person="bob", seed=44, sigmoid_derivative="article"),
    "one input": Asked(sizes=(1, 3, 1), x=(0.5,), y=(1.0,), seed=1),
    "no hidden layer": Asked(sizes=(3, 2), x=(1.0, -2.0, 0.5), y=(1.0, 0.0), seed=2),
    "one edge": Asked(sizes=(1, 1), x=(2.0,), y=(0.0,), seed=3),
    "relu": Asked(sizes=(2, 3, 1), x=(1.0, -2.0), y=(0.5,), activation="relu", seed=4),
    "identity output": Asked(
        sizes=(3, 4, 2),
        x=(0.5, -1.0, 2.0),
        y=(1.0, 0.0),
        activation="tanh",
        loss="bce",
        l2=0.01,
        seed=7,
    ),
    "identity all through": Asked(
        sizes=(2, 2, 2, 1),
        x=(1.0, -2.0),
        y=(0.5,),
        activation="identity",
        output="identity",
        seed=5,
    ),
    "gelu": Asked(sizes=(2, 3, 2), x=(1.0, -2.0), y=(0.5, 0.1), activation="gelu", seed=6),
    "classes": Asked(sizes=(2, 3, 3), x=(1.0, -2.0), y=(0.0, 1.0, 0.0), loss="softmax-ce", seed=8),
    "three layers": Asked(
        sizes=(2, 3, 3, 2), x=(1.0, -2.0), y=(0.5, 0.1), activation="softplus", seed=9
    ),
    "huber": Asked(
        sizes=(2, 3, 2), x=(1.0, -2.0), y=(9.0, 0.1), activation="leaky-relu", loss="huber", seed=10
    ),
}


@cache
def trace(name: str) -> Trace:
    return NETWORKS[name].trace()
