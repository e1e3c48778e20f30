"""What models share: functions, lines with the usual mistakes in them, draws, wrong results."""

from collections.abc import Callable, Collection
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import numpy as np

from manual.activations import sigmoid
from manual.affine import AffineCache, affine_backward_inputs, affine_backward_parameters
from manual.losses import LogitsCache
from models.edits import Edit, Gradient, Shared, called
from models.mistakes import MISTAKES as CATALOGUE
from models.model import Model, Rows, Written, of_loss

# Accurate functions of float arrays, where the textbook formula loses digits.


def binomial_delta(z: Any, failures: Any, successes: Any) -> Any:
    """failures σ(z) - successes σ(-z), also where the two nearly cancel at small z."""
    halves = (failures - successes) / 2 + (failures + successes) / 2 * np.tanh(z / 2)
    return np.where(abs(z) < 1, halves, failures * sigmoid(z) - successes * sigmoid(-z))


def softmax_backward(dp: Any, p: Any) -> Any:
    """p = softmax(z) by rows has dp_i/dz_j = p_i (δ_ij - p_j)."""
    return p * (dp - (dp * p).sum(axis=1, keepdims=True))


def saturated_softmax_backward(dp: Any, p: Any) -> Any:
    """dz_i = p_i Σ_j p_j (dp_i - dp_j): no digit is lost where p is nearly one-hot."""
    return p * ((dp[..., :, None] - dp[..., None, :]) * p[..., None, :]).sum(axis=-1)


def size(rng: np.random.Generator, large: float = 12.0, small: float = 1e-3) -> float:
    """Draw a scale: about 1, in a fifth of the draws so large that sigmoids saturate, or tiny."""
    if rng.random() < 0.8:
        return float(rng.uniform(0.3, 1.5))
    return float(rng.choice([large, small]))


# Lines shared by many backward passes.

#: The learning rate of mistakes that update weights too early.
STEP = 0.1

#: The slug of the mistake that is one at a kink alone.
AT_A_KINK = "relu-at-zero"


def affine_backward(dz: Any, x: Any, w: Any, penalty: float = 0.0) -> tuple[Any, Any, Any]:
    """z = x @ w + b for examples in rows, penalty · Σ w² in the loss: return (dw, db, dx)."""
    cache = AffineCache(x, w)
    layer = affine_backward_parameters(dz, cache)
    decayed = layer.w + 2 * penalty * w if penalty else layer.w
    return decayed, layer.b, affine_backward_inputs(dz, cache)


def tanh_output_backward(dh: Any, h: Any) -> Any:
    """h = tanh(z) has dh/dz = 1 - h², where z is not kept."""
    return dh * (1 - h**2)


def over_outputs(y: Any) -> float:
    """By this a derivative is multiplied that is of the mean over outputs, too."""
    return 1 / y.shape[1]


def of_classes(z: Any, classes: Any) -> LogitsCache:
    """What the cross-entropy's derivative needs, for numbers of classes."""
    return LogitsCache(z, np.eye(z.shape[1], dtype=z.dtype)[classes])


# The usual mistakes in them.


def _of_a_mean(array: str, without_targets: str = "") -> dict[str, Edit]:
    """Return the mistakes in a line of a loss that is the mean over the examples in an array."""
    count = f"{array}.shape[0]"
    of_entropy = {"ce-minus-missing": f"return dloss / {count} * {without_targets}"}
    return {
        "missing-mean": (count, "1"),
        "double-mean": (count, f"{count} ** 2"),
        "mean-over-outputs": (count, f"{array}.size"),
        "residual-sign": ("return dloss", "return -dloss"),
        **(of_entropy if without_targets else {}),
    }


#: By function, of this module or of `manual`, and slug: the edit that makes the mistake.
MISTAKES: dict[str, dict[str, Edit]] = {
    "affine_backward": {
        "update-before-use": (
            "inputs(dz, cache)",
            "inputs(dz, AffineCache(x, w - STEP * decayed))",
        ),
        "decay-factor": ("2 * penalty * w", "penalty * w"),
    },
    "affine_backward_parameters": {
        "dw-transposed": ("cache.x.T @ dz", "dz.T @ cache.x"),
        "bias-mean": ("namespace(dz).sum(", "namespace(dz).mean("),
        "bias-unsummed": ("namespace(dz).sum(dz, axis=0)", "dz"),
        "bias-wrong-axis": ("axis=0", "axis=1"),
    },
    "affine_backward_inputs": {"dx-untransposed": ("dz @ cache.w.T", "dz @ cache.w")},
    "sigmoid_backward": {
        "sigmoid-of-z": "return da * (z * (1 - z))",
        "no-activation-derivative": "return da",
    },
    "tanh_backward": {
        "tanh-linear": "return da * (1 - namespace(z).tanh(z))",
        "tanh-of-h": "return da * (4 * sigmoid_derivative(2 * namespace(z).tanh(z)))",
        "no-activation-derivative": "return da",
    },
    "tanh_output_backward": {
        "tanh-linear": "return dh * (1 - h)",
        "tanh-of-h": "return dh * (1 - np.tanh(h) ** 2)",
        "no-activation-derivative": "return dh",
    },
    "relu_backward": {
        "relu-mask": ("greater(z, 0)", "greater(da, 0)"),
        "relu-at-zero": ("greater(z, 0)", "greater_equal(z, 0)"),
        "no-activation-derivative": "return da",
    },
    "softmax": {
        "softmax-wrong-axis": (
            "e = xp.exp(z - xp.max(z, axis=0, keepdims=True))\n"
            "return e / xp.sum(e, axis=0, keepdims=True)"
        )
    },
    "softmax_backward": {
        "softmax-diagonal": ("p * (dp - (dp * p).sum(axis=1, keepdims=True))", "dp * p * (1 - p)")
    },
    "softmax_ce_backward": {
        **_of_a_mean("z", "p"),
        "softmax-wrong-axis": "return dloss / z.shape[0] * (p - y)",
        # dp = -y / p times p (1 - p), the diagonal of the Jacobian.
        "softmax-diagonal": "return dloss / z.shape[0] * (y * (p - 1))",
        "softmax-shortcut": (
            "dp = p - y\n"
            "return dloss / z.shape[0] * (p * (dp - (dp * p).sum(axis=1, keepdims=True)))"
        ),
    },
    "bce_backward": {
        **_of_a_mean("z", "sigmoid(z)"),
        "bce-extra-derivative": ("return dloss", "return sigmoid(z) * sigmoid(-z) * dloss"),
    },
    "huber_backward": _of_a_mean("r"),
    "mse_backward": {
        **_of_a_mean("r"),
        "missing-square": "return dloss / r.shape[0] + 0 * r",
        "half-mse": ("2 / r.shape[0]", "1 / r.shape[0]"),
    },
    "over_outputs": {
        "missing-mean": ("1 / y.shape[1]", "1.0"),
        "mean-over-outputs": ("1 / y", "1.0 * y"),
    },
}


def usual(gradient: Gradient, but: str = "") -> dict[str, Shared]:
    """Return the usual mistakes in all functions with some that a gradient calls.

    Args:
        gradient: calls some.
        but: the slugs of those that change nothing in this one, with spaces between them.
    """
    found = {name: MISTAKES[name] for name in called(gradient) if name in MISTAKES}
    planted = {slug for edits in found.values() for slug in edits} - {AT_A_KINK, *but.split()}
    return {slug: everywhere(slug) for slug in CATALOGUE if slug in planted}


def everywhere(slug: str) -> Shared:
    """Return the edits that make a usual mistake in every function that may have it."""
    return {name: edits[slug] for name, edits in MISTAKES.items() if slug in edits}


def chosen(slugs: str) -> dict[str, Shared]:
    """Return these usual mistakes everywhere; slugs have spaces between them."""
    return {slug: everywhere(slug) for slug in slugs.split()}


def in_one(function: str, slug: str) -> Shared:
    """Return the edit that makes a usual mistake in one function."""
    return {function: MISTAKES[function][slug]}


# Draws of ordinary points: weights of order one, nonzero biases, no saturation.


def affine(rng: np.random.Generator, n_in: int, n_out: int) -> tuple[Any, Any]:
    """Draw a layer's weights, of shape (n_in, n_out), and biases."""
    return rng.normal(scale=1.2 / np.sqrt(n_in), size=(n_in, n_out)), biases(rng, n_out)


def biases(rng: np.random.Generator, n: int) -> Any:
    """Draw n numbers between 0.1 and 0.6 in absolute value."""
    return rng.uniform(0.1, 0.6, size=n) * rng.choice([-1.0, 1.0], size=n)


def layers(rng: np.random.Generator, *sizes: int) -> list[tuple[Any, Any]]:
    """Draw the layers of a network, each with its weights and biases."""
    return [affine(rng, *pair) for pair in pairwise(sizes)]


def normal(rng: np.random.Generator, *shape: int) -> Any:
    """Draw normal numbers."""
    return rng.normal(size=shape)


def one_hot_rows(rng: np.random.Generator, n: int, classes: int) -> Any:
    """Draw n one-hot rows, of at least two classes."""
    return np.eye(classes)[labels(rng, n, classes)]


def labels(rng: np.random.Generator, n: int, classes: int) -> Any:
    """Draw n class numbers, at least two of them different."""
    found = rng.integers(classes, size=n)
    found[1] = (found[0] + 1) % classes
    return found


def zero_or_one(rng: np.random.Generator, *shape: int) -> Any:
    """Draw targets 0 and 1; both occur, since the second row is the opposite of the first."""
    found = rng.integers(2, size=shape).astype(np.float64)
    found[1] = 1 - found[0]
    return found


def and_tie(
    model: Model, values: Callable[..., Any], slugs: str = "", at_kink: Written = None
) -> tuple[Model, Model]:
    """Return a model, and the same at a tie, where the slope may be taken as 1, with some mistakes.

    Args:
        model: the one.
        values: returns views of drawn arguments, each with what is put there, which makes some
            pre-activation exactly 0.
        slugs: of the model's mistakes, with spaces between them.
        at_kink: the edit that takes the slope as 1; by default the one of `relu_backward`.
    """

    def draw(rng: np.random.Generator) -> Any:
        at = model.draw(rng)
        for view, value in values(*at):
            view[...] = value
        return at

    some = {slug: model.mistakes[slug] for slug in slugs.split()}
    mistakes: Rows = {AT_A_KINK: at_kink or everywhere(AT_A_KINK), **some}
    tie = of_loss(f"{model.name}-tie", model.function, model.by_hand, draw, mistakes)
    return model, tie


# Mistakes in the result: each function makes a wrong gradient from a right one.


def accumulates(gradient: Gradient, only: Collection[int] | None = None) -> Gradient:
    """Add the gradient to buffers that are never reset to zero.

    The buffers themselves are returned, so that a later call also changes an earlier result.

    Args:
        gradient: the right one.
        only: the leaves that have such a buffer; all by default.
    """
    buffers: dict[int, np.ndarray] = {}

    def wrong(params: Any, *inputs: Any) -> Any:
        leaves, tree = jax.tree.flatten(gradient(params, *inputs))
        for i, leaf in enumerate(leaves):
            if only is None or i in only:
                buffers.setdefault(i, np.zeros_like(leaf))
                buffers[i] += leaf
                leaves[i] = buffers[i]
        return jax.tree.unflatten(tree, leaves)

    return wrong


def update_before_use(gradient: Gradient, rate: float = 0.1) -> Gradient:
    """Update the last leaf before the derivatives by the others are taken."""

    def wrong(params: Any, *inputs: Any) -> Any:
        leaves, tree = jax.tree.flatten(params)
        last = jax.tree.leaves(gradient(params, *inputs))[-1]
        updated = jax.tree.unflatten(tree, [*leaves[:-1], leaves[-1] - rate * last])
        others = jax.tree.leaves(gradient(updated, *inputs))[:-1]
        return jax.tree.unflatten(tree, [*others, last])

    return wrong


def _changed(gradient: Gradient, change: Callable[[Any], Any]) -> Gradient:
    """Apply `change` to all elements of the right gradient in one array."""

    def wrong(params: Any, *inputs: Any) -> Any:
        leaves, tree = jax.tree.flatten(gradient(params, *inputs))
        flat = change(np.concatenate([np.ravel(leaf) for leaf in leaves]))
        parts = np.split(flat, np.cumsum([np.size(leaf) for leaf in leaves])[:-1])
        shaped = [p.reshape(np.shape(leaf)) for p, leaf in zip(parts, leaves, strict=True)]
        return jax.tree.unflatten(tree, shaped)

    return wrong


def _one_element(gradient: Gradient, change: Callable[[Any], Any], rank: float = 1.0) -> Gradient:
    """Change the element at that rank, 0 to 1, among all nonzero ones ordered by size."""

    def apply(flat: Any) -> Any:
        order = np.argsort(abs(flat), kind="stable")
        order = order[flat[order] != 0]
        if order.size:
            chosen = order[round(rank * (order.size - 1))]
            flat[chosen] = change(flat[chosen])
        return flat

    return _changed(gradient, apply)


#: Change the sign of the largest element, or of that of another rank; or set it to 0.
sign_of_one_element = partial(_one_element, change=lambda value: -value)
one_element_zeroed = partial(_one_element, change=lambda value: 0 * value)

#: Change one element of medium size by a millionth; by a fiftieth in float32.
one_element_off = partial(
    _one_element,
    change=lambda value: value + value * (64 * np.sqrt(np.finfo(value.dtype).eps)),
    rank=0.5,
)

#: Set all elements to 0 that are a thousand times smaller than the largest.
small_elements_zeroed = partial(
    _changed, change=lambda flat: np.where(abs(flat) < 1e-3 * abs(flat).max(), 0 * flat, flat)
)

#: Exchange the first element and the last.
exchanged_elements = partial(_changed, change=lambda flat: flat[[-1, *range(1, flat.size - 1), 0]])
