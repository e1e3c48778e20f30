"""One artificial neuron: weigh the inputs, add a bias, activate.

The biology behind the words (the article, "Neuron in Biology" and "Metaphor"): inputs arrive at the
dendrites, the axon hillock sums them and fires beyond a threshold θ, the axon terminal passes the
output on. In Tom's circle of friends a weight is how close a friend is, and the bias is -θ.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from manual.activations import sigmoid
from manual.arrays import Array, as_array, namespace


class Steps(NamedTuple):
    """What one neuron computes on the way from its inputs to its output."""

    weighted: Array  #: step 1, each input times its weight, shape (n_in,)
    z: Array  #: step 2, their sum plus the bias, a scalar
    output: Array  #: step 3, activation(z), a scalar


@dataclass(frozen=True)
class Neuron:
    """A neuron with fixed weights and bias.

    Args:
        weights: shape (n_in,).
        bias: a scalar.
        activation: from z to the output; the sigmoid unless given.

    Example:
        >>> float(Neuron(weights=[0, 1], bias=4).feedforward([2, 3]))
        0.9990889488055994
    """

    weights: Array
    bias: Array
    activation: Callable[[Array], Array] = sigmoid

    def steps(self, inputs: Array) -> Steps:
        """The article's three steps, each with its value.

        Args:
            inputs: shape (n_in,), the outputs of the neurons before this one.

        Raises:
            ValueError: the number of inputs is not the number of weights.
        """
        weights, inputs = as_array(self.weights), as_array(inputs)
        if weights.shape != inputs.shape or len(weights.shape) != 1:
            raise ValueError(
                f"Neuron: inputs have shape {inputs.shape} and weights have shape "
                f"{weights.shape}, expected one and the same (n_in,)"
            )
        weighted = weights * inputs
        z = namespace(weighted).sum(weighted) + self.bias
        return Steps(weighted, z, self.activation(z))

    def feedforward(self, inputs: Array) -> Array:
        """The neuron's output for `inputs` of shape (n_in,), a scalar. Raises as `steps` does."""
        return self.steps(inputs).output
