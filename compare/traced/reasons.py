"""Why each number of a pass is computed as it is: a sentence or two, as at a blackboard.

They name quantities by their symbols and hold at every point, so terminal, page and documents say
the same. What is differentiated is `of`, by what is `by`.
"""

from collections.abc import Sequence

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

UPDATE = "The slope says where L rises, so {by} goes the other way: by η times the slope."


def weighted_sum(value: str) -> str:
    """Return why z is computed as it is."""
    return f"{value} adds up what comes in, each number times its weight, and the bias."


def activated(activation: str, z: str) -> str:
    """Return what an activation makes of its z; of one without words of its own, its name."""
    return ACTIVATIONS.get(activation, f"{activation} makes the output of {{z}}.").format(z=z)


def activation_slope(of: str, by: str) -> str:
    """Return why the slope of an activation counts."""
    return (
        f"How steep the activation is at {by}: a small move of {by} moves {of} so many times as "
        "much."
    )


def times(by: str, partner: str, z: str, then: str, slope: str) -> str:
    """Return why `by`, multiplied by a partner in z, has a slope of the partner times another."""
    return (
        f"{by} multiplies {partner} in {z}: moving {by} a little moves {z} by {partner} times "
        f"that, and {then} by {slope} times that again."
    )


def added(by: str, z: str, then: str, slope: str) -> str:
    """Return why a bias has the slope of its z."""
    return (
        f"{by} is added in {z}: {z} moves as much as {by} does, and {then} {slope} times as much."
    )


def chained(by: str, through: Sequence[str], of: str) -> str:
    """Return why the slopes along one path multiply."""
    return (
        f"{by} reaches {of} only through {' and then '.join(through)}. Each passes on its slope "
        "times what it gets: slopes along a chain multiply."
    )


def through_activation(by: str, a: str, is_identity: bool) -> str:
    """Return why ∂L/∂z is ∂L/∂a times the activation's slope."""
    if is_identity:
        return f"{a} is {by}, so L feels both alike."
    return (
        f"{by} reaches L only through {a}: what L feels of {a}, times how steep the activation is."
    )


def paths(by: str, units: Sequence[str]) -> str:
    """Return why the slopes along several paths add up."""
    if len(units) == 1:
        return f"{by} reaches L only through {units[0]}: the slope there, times their weight."
    between = "and" if len(units) == 2 else "to"
    return (
        f"{by} goes into {len(units)} units, {units[0]} {between} {units[-1]}. Along each path the "
        "slope is that unit's, times the weight between them; paths add up."
    )
