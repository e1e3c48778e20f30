"""Why each number of a pass is computed as it is: a sentence or two, as at a blackboard.

They name quantities by their symbols and hold at every point, so terminal, page and documents say
the same. What is differentiated is `of`, by what is `by`.
"""

import re
from collections.abc import Mapping

from compare.trace import LOSS, UPDATE, Quantity
from compare.traced.meanings import OF_DATA
from manual.network import Network

#: What an activation makes of its z.
ACTIVATIONS = {
    "sigmoid": "σ presses {z} into the range from 0 to 1: far below 0 it is almost 0, far above "
    "almost 1.",
    "tanh": "tanh presses {z} into the range from -1 to 1.",
    "relu": "ReLU passes {z} on where it is positive, and is 0 elsewhere.",
    "leaky-relu": "Leaky ReLU passes {z} on where it is positive, a small part of it elsewhere.",
    "gelu": "GELU passes on large {z}, is almost 0 where {z} is far below 0, and bends smoothly "
    "between.",
    "softplus": "softplus is almost {z} where that is large, almost 0 far below 0, and bends "
    "smoothly between.",
    "identity": "{z} is passed on as it is.",
}

#: What a loss measures.
LOSSES = {
    "mse": "How wrong the network is: each output's distance to its target, squared, so that "
    "either side counts, and large errors count most.",
    "huber": "How wrong the network is: half of each output's squared distance to its target, but "
    "beyond 1 only in proportion, so that one outlier does not outweigh all else.",
    "bce": "How surprising the target is: σ makes a probability of the output, and L is minus the "
    "logarithm of the one that what is true was given.",
    "softmax-ce": "How surprising the target is: softmax makes probabilities of the outputs, and L "
    "is minus the logarithm of the one that what is true was given.",
}

#: The slope of a loss by one output.
LOSS_SLOPES = {
    "mse": "A square changes by twice what is squared: the farther {by} is from the target, the "
    "more of its moves L feels.",
    "huber": "As far as the distance to the target is below 1, it is the slope itself; beyond, L "
    "grows in proportion, and the slope is 1 or -1.",
    "bce": "The probability that σ makes of {by}, less the target: 0 when they agree.",
    "softmax-ce": "The probability that softmax makes of {by}, times the sum of all targets, which "
    "is 1 where one class is right, less its own target: 0 when they agree.",
}

SQUARED_DISTANCE_SLOPE = (
    "A square changes by twice what is squared. {by} is subtracted in it, hence the minus: where "
    "{by} is below y, L falls as it rises."
)

PENALTY = "Large weights cost as well: λ times the sum of their squares."
PENALTY_SLOPE = (
    "{by} changes L in two ways, and they add: through the network, and by its own square, times λ."
)

DESCENT = "The slope says where L rises, so {by} goes the other way: by η times the slope."


def reason(network: Network, quantity: Quantity, known: Mapping[str, Quantity]) -> str:
    """Return why a number of the lines is computed as it is, from those before it."""
    if quantity.kind == LOSS:
        return PENALTY if OF_DATA in known else LOSSES[network.loss]
    if quantity.kind == UPDATE:
        return DESCENT.format(by=quantity.name.removesuffix("_new"))
    if quantity.derivative:
        return _of_slope(network, quantity, *quantity.derivative, known)
    if quantity.name.startswith("z"):
        return f"{quantity.name} adds up what comes in, each number times its weight, and the bias."
    # The article's units are alike, and no layer is in their names.
    layer = re.search(r"\d+(?=\[)", quantity.name)
    name = network.activations[int(layer.group()) if layer else -1]
    by_itself = f"{name} makes the output of {{z}}."
    return ACTIVATIONS.get(name, by_itself).format(z=quantity.depends_on[0])


def _of_slope(
    network: Network, quantity: Quantity, of: str, by: str, known: Mapping[str, Quantity]
) -> str:
    """Return why a derivative is the product, or the sum of products, that it is."""
    taken = {name: known[name].derivative for name in quantity.depends_on}
    slopes = {name: pair[1] for name, pair in taken.items() if pair}
    if not slopes and by.startswith("z"):
        return (
            f"How steep the activation is at {by}: a small move of {by} moves {of} so many times "
            "as much."
        )
    if not slopes:
        says = SQUARED_DISTANCE_SLOPE if by == "ypred" else LOSS_SLOPES[network.loss]
        return says.format(by=by)
    if by.startswith("z"):
        a = f"a{by[1:]}"
        if len(slopes) == 1:  # the identity has no line of its own
            return f"{a} is {by}, so L feels both alike."
        return (
            f"{by} reaches L only through {a}: what L feels of {a}, times how steep the activation "
            "is."
        )
    units = list(slopes.values())
    if by.startswith("a"):
        if len(units) == 1:
            return f"{by} reaches L only through {units[0]}: the slope there, times their weight."
        between = "and" if len(units) == 2 else "to"
        return (
            f"{by} goes into {len(units)} units, {units[0]} {between} {units[-1]}. Along each path "
            "the slope is that unit's, times the weight between them; paths add up."
        )
    if f"d{by}_data" in known:
        return PENALTY_SLOPE.format(by=by)
    if len(units) > 1:
        return (
            f"{by} reaches {of} only through {' and then '.join(units[-2::-1])}. Each passes on "
            "its slope times what it gets: slopes along a chain multiply."
        )
    ((name, z),) = slopes.items()
    slope = known[name].symbol
    for partner in quantity.depends_on:
        if partner not in slopes:
            return (
                f"{by} multiplies {partner} in {z}: moving {by} a little moves {z} by {partner} "
                f"times that, and {of} by {slope} times that again."
            )
    return f"{by} is added in {z}: {z} moves as much as {by} does, and {of} {slope} times as much."
