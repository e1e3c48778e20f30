"""Networks of every kind, and points at which their gradients are compared.

Descriptions of networks are drawn from a seed, in a list, because each costs a compilation; the
points come from Hypothesis. Sizes are primes, all different, and so is the number of examples: no
transposition and no sum along the wrong axis can hide.
"""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from manual.activations import ACTIVATIONS
from manual.affine import Layer
from manual.losses import LOSSES
from manual.network import LINKS, Network
from models.general_network import Variant

#: Sizes of networks, and examples at once. Few, because operations are compiled for each shape.
SHAPES = (
    ((5, 3), 7),
    ((2, 7, 3), 1),
    ((3, 2, 5), 11),
    ((5, 3, 7, 2), 13),
    ((3, 7, 2, 5, 11), 1),
    ((5, 2, 3, 2, 7, 3), 17),
)

#: How large the weights are, the biases and the inputs, by name; `tiny` depends on the dtype.
SCALES = {
    "ordinary": (1.0, 1.0, 1.0),
    "tiny": (0.0, 0.0, 1.0),
    "large": (20.0, 5.0, 1.0),
    "saturating": (2.0, 5.0, 60.0),
}

#: Squares of these are far from the smallest normal number still, products of three are not.
TINY = {"float64": 1e-120, "float32": 1e-14}


class Described(NamedTuple):
    """A network, and for how many examples at once it is tried."""

    network: Network
    n: int

    def __str__(self) -> str:
        """Readable as a test's name."""
        net = self.network
        sizes = "-".join(map(str, net.sizes))
        return f"{sizes}:{net.activation}:{net.output}:{net.loss}:{net.l2}:n{self.n}"


class Point(NamedTuple):
    """Where the loss is differentiated."""

    params: list[Layer]
    x: np.ndarray  #: shape (n, n_in)
    y: np.ndarray  #: shape (n, n_out)


def described(count: int) -> list[Described]:
    """So many networks; activations, losses and shapes take turns, the rest is drawn."""
    rng = np.random.default_rng(0)
    names, losses = list(ACTIVATIONS), list(LOSSES)
    made = []
    for i in range(count):
        sizes, n = SHAPES[i % len(SHAPES)]
        # Four losses and six shapes would meet in half of the pairs only.
        loss = losses[(i + i // 12) % len(losses)]
        output = "identity" if loss in LINKS else str(rng.choice(names))
        l2 = (0.0, 0.01, 0.0, 0.3)[int(rng.integers(4))]
        made.append(Described(Network(sizes, names[i % len(names)], output, loss, l2), n))
    return made


#: Sizes and examples; in `SQUARE` a transposition keeps the shape, and n differs from it.
PRIME = (((5, 3, 2), 7), ((2, 5, 3, 7), 11), ((3, 7, 2), 13))
SQUARE = (((3, 3, 3), 5), ((2, 2, 2, 2), 7), ((5, 5, 5), 3))


def hosts(plant: Variant) -> list[Described]:
    """Three networks in which the mistake is one."""
    made = []
    functions = (("tanh", "mse"), ("sigmoid", "huber"), ("softplus", "bce"))
    for (sizes, n), (hidden, loss) in zip(
        SQUARE if plant.square else PRIME, functions, strict=True
    ):
        loss = plant.loss or ("mse" if plant.output else loss)
        output = plant.output or "identity"
        made.append(Described(Network(sizes, plant.activation or hidden, output, loss, l2=0.1), n))
    return made


def draw_point(
    of: Described, seed: Any, kind: str = "ordinary", soft: bool = False, dtype: Any = np.float64
) -> Point:
    """A point of that kind.

    Args:
        of: the network and the number of examples.
        seed: of everything drawn, a whole number or several.
        kind: one of `SCALES`.
        soft: targets between the classes, in place of 0 and 1.
        dtype: of everything.
    """
    rng, net = np.random.default_rng(seed), of.network
    of_weights, of_biases, of_inputs = SCALES[kind]
    if kind == "tiny":
        of_weights = of_biases = TINY[np.dtype(dtype).name]
    params = [
        Layer(
            (of_weights * rng.standard_normal((n_in, n_out))).astype(dtype),
            (of_biases * rng.standard_normal(n_out)).astype(dtype),
        )
        for n_in, n_out in zip(net.sizes, net.sizes[1:], strict=False)
    ]
    x = of_inputs * rng.standard_normal((of.n, net.sizes[0]))
    return Point(params, x.astype(dtype), _targets(of, rng, soft).astype(dtype))


def _targets(of: Described, rng: np.random.Generator, soft: bool) -> np.ndarray:
    shape = (of.n, of.network.sizes[-1])
    if of.network.loss == "bce":
        return rng.random(shape) if soft else rng.integers(0, 2, shape)
    if of.network.loss == "softmax-ce":
        # Rows of weights of the classes need not sum to 1, nor be what they are rounded to.
        return rng.random(shape) if soft else np.eye(shape[1])[rng.integers(0, shape[1], of.n)]
    return 10.0 * rng.standard_normal(shape) if soft else rng.standard_normal(shape)


def points(of: Described) -> st.SearchStrategy[Point]:
    """Points of every kind, every other one ordinary; the same on every machine.

    Hypothesis leaves integers below 100 alone, where it mixes constants of local modules into
    larger ones: the seed is eight digits, two at a time.
    """
    return st.builds(
        draw_point,
        st.just(of),
        st.tuples(*[st.integers(0, 99)] * 4),
        st.sampled_from(["ordinary"] * (len(SCALES) - 2) + list(SCALES)),
        st.booleans(),
    )
