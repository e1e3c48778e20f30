"""The article's 2-2-1 network as a pure JAX loss, its gradient, and its training.

        z1 = w1*x1 + w2*x2 + b1      h1 = σ(z1)
        z2 = w3*x1 + w4*x2 + b2      h2 = σ(z2)
        z3 = w5*h1 + w6*h2 + b3      ypred = σ(z3)      loss = (y - ypred)²

`feedforward`, `loss` and `mean_loss` are pure: they take any floating dtype, and can be transformed
further. The verbs below them are compiled and work in float64.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from autodiff import sgd
from autodiff.intermediates import See, as_it_is
from autodiff.precision import as_float64, in_float64

#: A number, or a JAX or NumPy array of them: the two have no common type to annotate with.
Scalar = Any


class Parameters(NamedTuple):
    """The nine parameters, or nine values that belong to them (their partial derivatives, say)."""

    w1: Scalar
    w2: Scalar
    w3: Scalar
    w4: Scalar
    w5: Scalar
    w6: Scalar
    b1: Scalar
    b2: Scalar
    b3: Scalar


def feedforward(params: Parameters, x: Scalar, see: See = as_it_is) -> jax.Array:
    """The network's output, in [0, 1]: the probability of "female".

    Args:
        params: nine scalars, or arrays of shape (...).
        x: the two inputs along the last axis, shape (..., 2).
        see: called with z1, h1, z2, h2, z3 and ypred, see `autodiff.intermediates`.

    Returns:
        Shape (...), the dtype of the arguments.
    """
    w1, w2, w3, w4, w5, w6, b1, b2, b3 = params
    x1, x2 = x[..., 0], x[..., 1]
    h1 = see("h1", jax.nn.sigmoid(see("z1", w1 * x1 + w2 * x2 + b1)))
    h2 = see("h2", jax.nn.sigmoid(see("z2", w3 * x1 + w4 * x2 + b2)))
    return see("ypred", jax.nn.sigmoid(see("z3", w5 * h1 + w6 * h2 + b3)))


def loss(params: Parameters, x: Scalar, y: Scalar, see: See = as_it_is) -> jax.Array:
    """One sample's squared error, (y - ypred)². Shapes as in `feedforward`; y has shape (...)."""
    return jnp.square(y - feedforward(params, x, see))


def mean_loss(params: Parameters, xs: jax.Array, ys: jax.Array) -> jax.Array:
    """The mean of `loss` over n samples: xs of shape (n, 2), ys of shape (n,), a scalar back."""
    return jnp.mean(loss(params, xs, ys))


def _packed(function: Callable, result: Callable) -> Callable:
    """Let all nine parameters enter a compiled function as one float64 array, and one come out.

    Each array on the way in or out costs microseconds, nine of them more than the whole gradient.
    `result` makes what is returned from the numbers in the array that comes out.
    """

    @jax.jit
    def on_arrays(params: jax.Array, *data: jax.Array) -> jax.Array:
        return jnp.stack(jax.tree.leaves(function(Parameters(*params), *data)))

    def call(params: Parameters, *data: Scalar) -> Any:
        try:
            packed = np.array(params)
        except (TypeError, ValueError):  # of several shapes, or of a dtype that NumPy lacks
            packed = np.array(np.broadcast_arrays(*params))
        with jax.enable_x64(True):
            return result(*np.asarray(on_arrays(*map(as_float64, (packed, *data)))))

    return call


#: (params, x) -> output in float64; shapes as in the pure function `feedforward`.
predict = _packed(jax.jit(feedforward), lambda output: output)

#: (params, x, y) -> the nine partial derivatives of one sample's loss, float64 scalars.
gradient = _packed(jax.jit(jax.grad(loss)), Parameters)

#: (params, x, y) -> one sample's loss and its nine partial derivatives, float64 scalars.
value_and_gradient = _packed(
    jax.jit(jax.value_and_grad(loss)), lambda value, *grads: (value, Parameters(*grads))
)

#: (params, xs, ys, learning_rate) -> `sgd.Step` for n networks at once: params of n values each,
#: xs of shape (n, 2), ys of shape (n,); the nine gradients and nine new parameters, n values each.
steps = in_float64(jax.jit(jax.vmap(sgd.step(loss), in_axes=(0, 0, 0, None))))

#: (n networks' params, xs, ys) -> the n mean losses over the same samples, float64, shape (n,).
mean_losses = in_float64(jax.jit(jax.vmap(mean_loss, in_axes=(0, None, None))))


class Layer(NamedTuple):
    """One layer of neurons side by side: z = x @ w + b."""

    w: jax.Array  #: shape (n_in, n_out)
    b: jax.Array  #: shape (n_out,)


def pack(params: Parameters) -> list[Layer]:
    """The nine scalars as two layers: four arrays instead of nine, for the compiled training."""
    w1, w2, w3, w4, w5, w6, b1, b2, b3 = params
    return [
        Layer(w=jnp.stack([jnp.stack([w1, w3]), jnp.stack([w2, w4])]), b=jnp.stack([b1, b2])),
        Layer(w=jnp.stack([w5, w6])[:, None], b=jnp.stack([b3])),
    ]


def unpack(layers: list[Layer]) -> Parameters:
    """The inverse of `pack`; axes in front, such as the updates of a training, stay in front."""
    (w, b), (v, c) = layers
    hidden = (w[..., 0, 0], w[..., 1, 0], w[..., 0, 1], w[..., 1, 1])
    output = (v[..., 0, 0], v[..., 1, 0])
    return Parameters(*hidden, *output, b[..., 0], b[..., 1], c[..., 0])


def packed_loss(layers: list[Layer], x: jax.Array, y: jax.Array) -> jax.Array:
    """`loss` for parameters in layers: x of shape (2,), y a scalar."""
    hidden, output = layers
    h = jax.nn.sigmoid(x @ hidden.w + hidden.b)
    (ypred,) = jax.nn.sigmoid(h @ output.w + output.b)
    return jnp.square(y - ypred)


def trajectory(
    params: Parameters, xs: jax.Array, ys: jax.Array, learning_rate: jax.Array, order: jax.Array
) -> list[Layer]:
    """The whole training, packed: every leaf has the updates as its first axis; see `train`."""
    return sgd.train(packed_loss)(pack(params), xs, ys, learning_rate, order)


_trajectory = in_float64(jax.jit(trajectory))


def train(params: Parameters, xs: Any, ys: Any, learning_rate: float, order: Any) -> Parameters:
    """The whole training as one compiled loop; equal arguments give equal bits.

    Args:
        params: where to start, nine numbers.
        xs: inputs, shape (n, 2).
        ys: targets, shape (n,).
        learning_rate: η.
        order: which row each update takes, integers of shape (epochs, samples per epoch).

    Returns:
        The parameters after every update, nine float64 NumPy arrays of shape (order.size,).
    """
    return unpack(_trajectory(params, xs, ys, learning_rate, order))
