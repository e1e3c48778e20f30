"""Planted mistakes in the article's gradient and training; those of other models are beside them.

They are mistakes that people really make. One in a factor of the chain rule belongs in `LINKS`,
as the line of `manual.article.gradient` that it is; one in the arguments, the result or the method
into `ANSWERS`, one in the training loop, around a right gradient, into `LOOPS`.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import manual.article
import manual.sgd
from manual.activations import SIGMOID_DERIVATIVES, sigmoid_derivative
from manual.arrays import namespace
from manual.article import Parameters, forward, gradient_lines, loss
from manual.sgd import update
from models.model import Slip

#: The parameters that a mistake makes wrong: all, those by way of a hidden unit, of h1, of h2.
NAMES = " ".join(Parameters._fields)
HIDDEN, FIRST, SECOND = "w1 w2 w3 w4 b1 b2", "w1 w2 b1", "w3 w4 b2"
WEIGHTS = "w1 w2 w3 w4 w5 w6"

#: A mistake that makes all parameters wrong, unless it says which.
wrong = partial(Slip, leaves=NAMES)

#: By slug; those of the loss first, then from the output back to the inputs.
LINKS: dict[str, Slip] = {
    "missing-square": wrong(
        "the square of the loss is forgotten: ∂L/∂ypred is taken as -1", "dL_dypred = 0 * y - 1.0"
    ),
    "half-mse": wrong(
        "the 2 of the square is forgotten: ∂L/∂ypred is taken as -(y - ypred)",
        "dL_dypred = -(y - ypred)",
    ),
    "double-mean": wrong(
        "∂L/∂ypred is divided by 4, the number of people, though the loss is that of one",
        "dL_dypred = -2 * (y - ypred) / 4",
    ),
    "residual-sign": wrong(
        "the minus in front is lost: ∂L/∂ypred is taken as 2(y - ypred)",
        "dL_dypred = 2 * (y - ypred)",
    ),
    "absolute-error": wrong(
        "|y - ypred| is differentiated, not its square: ∂L/∂ypred is only ever 1 or -1",
        "dL_dypred = -namespace(ypred).sign(y - ypred)",
    ),
    "cross-entropy-shortcut": wrong(
        "∂L/∂z3 is taken as ypred - y, which is right for the cross-entropy, not for the square",
        "dL_dypred = ypred - y",
        "dypred_dz3 = 1 + 0 * z3",
    ),
    "no-activation-derivative-output": wrong(
        "σ' is forgotten at the output: ∂ypred/∂z3 is taken as 1", "dypred_dz3 = 1 + 0 * z3"
    ),
    "no-activation-derivative-hidden": wrong(
        "σ' is forgotten at h1: ∂h1/∂z1 is taken as 1", "dh1_dz1 = 1 + 0 * z1", leaves=FIRST
    ),
    "activation-derivative-twice": wrong(
        "σ'(z3) is multiplied in twice", "dL_dypred = -2 * (y - ypred) * derivative(z3)"
    ),
    "sigmoid-of-z": wrong(
        "σ' = f(1 - f) is filled in with z1 in place of f: z1(1 - z1)",
        "dh1_dz1 = z1 * (1 - z1)",
        leaves=FIRST,
    ),
    "sigmoid-of-activation": wrong(
        "σ' is taken at h2 instead of z2", "dh2_dz2 = derivative(h2)", leaves=SECOND
    ),
    "tanh-derivative": wrong(
        "the derivative of tanh is taken for that of σ: ∂h1/∂z1 as 1 - h1²",
        "dh1_dz1 = 1 - h1 * h1",
        leaves=FIRST,
    ),
    "minus-missing": wrong(
        "the minus in f(1 - f) becomes a plus: ∂h2/∂z2 is taken as h2(1 + h2)",
        "dh2_dz2 = h2 * (1 + h2)",
        leaves=SECOND,
    ),
    "derivative-at-another-unit": wrong(
        "σ' of h2 is taken at the sum of the other hidden unit, z1 instead of z2",
        "dh2_dz2 = derivative(z1)",
        leaves=SECOND,
    ),
    "derivative-at-another-layer": wrong(
        "σ' of the output is taken at the sum of a hidden unit, z1 instead of z3",
        "dypred_dz3 = derivative(z1)",
    ),
    "dx-untransposed": wrong(
        "on the way back h1 is given the weight of h2, w6, and h2 that of h1, w5",
        "dypred_dh1 = dypred_dz3 * w6",
        "dypred_dh2 = dypred_dz3 * w5",
        leaves=HIDDEN,
    ),
    "dw-transposed": wrong(
        "∂L/∂w2 and ∂L/∂w3 are exchanged, as by a transposed matrix of weights",
        ("return Parameters(dL_dw1, dL_dw2, dL_dw3,", "return Parameters(dL_dw1, dL_dw3, dL_dw2,"),
        leaves="w2 w3",
    ),
    "dw-after-activation": wrong(
        "w1 weighs x1, but its derivative is given h1, what came out of the unit",
        "dh1_dw1 = dh1_dz1 * h1",
        leaves="w1",
    ),
    "dw-before-activation": wrong(
        "w5 weighs h1, but its derivative is given z1, what h1 was before its activation",
        "dypred_dw5 = dypred_dz3 * z1",
        leaves="w5",
    ),
    "wrong-input": wrong(
        "w4 weighs x2, but its derivative is given x1", "dh2_dw4 = dh2_dz2 * x1", leaves="w4"
    ),
    "everything-through-h1": wrong(
        "w3, w4 and b2 are led to the loss through h1, though they act through h2",
        "dypred_dh2 = dypred_dh1",
        "dh2_dz2 = derivative(z1)",
        leaves=SECOND,
    ),
    "hidden-factor-in-w5": wrong(
        "w5 is given the derivative of w1, through h1, though it acts on the output itself",
        "dL_dw5 = dL_dw1\ndL_dw2 = dL_dypred * dypred_dh1 * dh1_dw2",
        leaves="w5",
    ),
    "dropped-term-w5": wrong(
        "w5 is left out on the way back: ∂ypred/∂h1 is taken as σ'(z3)",
        "dypred_dh1 = dypred_dz3",
        leaves=FIRST,
    ),
    "dropped-term-loss": wrong(
        "∂L/∂ypred is left out of the product for b2", "dL_db2 = dypred_dh2 * dh2_db2", leaves="b2"
    ),
    "zeroed-element": wrong("∂L/∂w1 is always 0", "dL_dw1 = 0 * x1", leaves="w1"),
    "small-elements-zeroed": wrong(
        "∂L/∂w1 is set to 0 where it is small: where |x1 σ'(z1)| is below 1e-7",
        (
            "small = abs(x1 * dh1_dz1) < 1e-7\n"
            "dL_dw1 = namespace(dL_dw1).where(small, 0.0, dL_dw1)\n"
            "dL_dw2 = dL_dypred * dypred_dh1 * dh1_dw2"
        ),
        leaves="w1",
    ),
    "saturated-unit-zeroed": wrong(
        "h1 is taken for saturated where it is above 0.999999: there ∂h1/∂z1 is set to 0",
        (
            "dh1_dz1 = derivative(z1)",
            "dh1_dz1 = derivative(z1)\ndh1_dz1 = namespace(h1).where(h1 > 0.999999, 0.0, dh1_dz1)",
        ),
        leaves=FIRST,
    ),
    "bias-takes-input": wrong(
        "b1 is treated like w1: its derivative is multiplied by x1",
        "dh1_db1 = dh1_dz1 * x1",
        leaves="b1",
    ),
    "bias-without-derivative": wrong(
        "σ' is forgotten for b3 alone: ∂ypred/∂b3 is taken as 1",
        "dypred_db3 = 1 + 0 * z3",
        leaves="b3",
    ),
}


def answer(
    params: Parameters, x: Any, y: Any, derivative: Callable[[Any], Any] = sigmoid_derivative
) -> Parameters:
    """The lines around the chain rule, which most answers edit."""
    gradient = partial(manual.article.gradient, derivative=derivative)
    grads = gradient(params, x, y)
    return grads  # noqa: RET504 (a mistake comes between)


#: The line that calls the right gradient, and that most mistakes replace or go on from.
GRADS = "grads = gradient(params, x, y)"

#: What edited lines use besides.
nan = np.nan


def single(part: Any) -> Any:
    """Round to single precision."""
    return np.asarray(part, dtype=np.float32)


def clip(part: Any, low: float, high: float) -> Any:
    """Cut off at both ends."""
    xp = namespace(part)
    return xp.minimum(xp.maximum(part, low), high)


def _then(says: str, line: str, leaves: str = NAMES) -> Slip:
    """Run a line after the call of the right gradient."""
    return Slip(says, f"{GRADS}\n{line}", leaves=leaves)


def _accumulates(right: Callable[..., Parameters]) -> Callable[..., Parameters]:
    """Add to the same buffers at every call; there is one for each shape of a result."""
    buffers: dict[tuple[int, ...], np.ndarray] = {}

    def gradient(params: Parameters, x: Any, y: Any, derivative: Any) -> Parameters:
        grads = np.stack(right(params, x, y, derivative))
        buffers[grads.shape] = buffers.get(grads.shape, 0.0) + grads
        return Parameters(*buffers[grads.shape])

    return gradient


def _central_difference(_: Any) -> Callable[..., Parameters]:
    step = 1e-6

    def gradient(params: Parameters, x: Any, y: Any, derivative: Any) -> Parameters:  # noqa: ARG001
        def slope(name: str) -> Any:
            up = params._replace(**{name: getattr(params, name) + step})
            down = params._replace(**{name: getattr(params, name) - step})
            return (loss(up, x, y) - loss(down, x, y)) / (2 * step)

        return Parameters(*map(slope, Parameters._fields))

    return gradient


#: By slug.
ANSWERS: dict[str, Slip] = {
    "inputs-swapped": wrong(
        "the gradient is given weight and height in the other order",
        "grads = gradient(params, x[..., ::-1], y)",
    ),
    "bias-forgotten-in-forward": wrong(
        "the forward pass of the gradient leaves out all three biases",
        "zero = 0 * params.b1\ngrads = gradient(params._replace(b1=zero, b2=zero, b3=zero), x, y)",
    ),
    "float32": wrong(
        "the gradient is computed in single precision, with 7 digits of 16",
        "grads = gradient(Parameters(*map(single, params)), single(x), single(y))",
    ),
    "exchanged": _then(
        "∂L/∂w5 and ∂L/∂w6 are exchanged",
        "grads = grads._replace(w5=grads.w6, w6=grads.w5)",
        leaves="w5 w6",
    ),
    "order-of-parameters": _then(
        "the nine are returned in another order, the biases before the weights",
        "grads = Parameters(*grads[6:], *grads[:6])",
    ),
    "decay-factor": _then(
        "1e-4 times each weight is added to its derivative: a weight decay that the loss lacks",
        "grads = Parameters(*(g + 1e-4 * w for g, w in zip(grads[:6], params[:6])), *grads[6:])",
        leaves=WEIGHTS,
    ),
    "clipped": _then(
        "every partial derivative is cut off at ±0.01",
        "grads = Parameters(*(clip(g, -0.01, 0.01) for g in grads))",
    ),
    "learning-rate-inside": _then(
        "the gradient is multiplied by 0.1 already, and the update multiplies by η again",
        "grads = Parameters(*(0.1 * g for g in grads))",
    ),
    "off-by-a-millionth": _then(
        "∂L/∂w6 is too large by a millionth",
        "grads = grads._replace(w6=grads.w6 * (1 + 1e-6))",
        leaves="w6",
    ),
    "off-by-1e-12": _then(
        "∂L/∂b3 is too large by a millionth of a millionth",
        "grads = grads._replace(b3=grads.b3 * (1 + 1e-12))",
        leaves="b3",
    ),
    "not-a-number": _then(
        "∂L/∂w2 is not a number", "grads = grads._replace(w2=grads.w2 * nan)", leaves="w2"
    ),
    "accumulates": wrong(
        "each gradient is added to all earlier ones, since nobody sets the buffer to zero",
        (GRADS, "buffers[grads.shape] = buffers.get(grads.shape, 0.0) + grads"),
        make=_accumulates,
    ),
    "central-difference": wrong(
        "nothing is derived: the slope is (L(w + ε) - L(w - ε)) / 2ε with ε = 1e-6",
        (GRADS, "return (loss(up, x, y) - loss(down, x, y)) / (2 * step)"),
        make=_central_difference,
    ),
}


def too_early(
    params: Parameters,
    xs: Any,
    ys: Any,
    gradient: Any,
    rate: float,
    order: Any,
    slope: Callable[[Any], Any],
) -> Iterator[Parameters]:
    """Update the output's parameters first, so that the hidden derivatives use the new ones."""
    for sample in np.ravel(order):
        x, y = xs[sample], ys[sample]
        output = update(params, gradient(params, x, y), rate)
        halfway = params._replace(w5=output.w5, w6=output.w6, b3=output.b3)
        # The values of the forward pass are kept, as in the code that had this mistake.
        kept = forward(params, x)
        late = gradient_lines(halfway, x[0], x[1], y, kept, slope)
        hidden = update(params, late, rate)
        params = halfway._replace(**{name: getattr(hidden, name) for name in HIDDEN.split()})
        yield params


#: The lines that mistakes replace.
GRADS_OF_SAMPLE = "grads = gradient(params, xs[sample], ys[sample])"
UPDATE = "params = update(params, grads, learning_rate)"
COUNTED = ("for sample in np.ravel(order):", "for at, sample in enumerate(np.ravel(order)):")

#: By slug.
LOOPS: dict[str, Slip] = {
    "update-before-use": wrong(
        "w5, w6 and b3 are updated before the derivatives of the hidden units have used them",
        (GRADS_OF_SAMPLE, "late = gradient_lines(halfway, x[0], x[1], y, kept, slope)"),
        leaves=HIDDEN,
        make=lambda _: too_early,
    ),
    "stale-parameters": wrong(
        "all derivatives of an epoch are taken at the parameters that it began with",
        (COUNTED[0], f"{COUNTED[1]}\n    old = params if at % order.shape[1] == 0 else old"),
        ("gradient(params, ", "gradient(old, "),
    ),
    "last-sample-skipped": wrong(
        "the loop ends one short: nothing is learned from the last person of an epoch",
        COUNTED,
        f"if (at + 1) % order.shape[1]:\n    {UPDATE}",
    ),
    "wrong-sample": wrong(
        "the index stays 0: every update learns from Alice",
        "grads = gradient(params, xs[0], ys[0])",
    ),
    "bias-not-updated": wrong(
        "b3 is never updated", f"{UPDATE}._replace(b3=params.b3)", leaves="b3"
    ),
    "ascends": wrong(
        "the update goes uphill: w + η ∂L/∂w", "params = update(params, grads, -learning_rate)"
    ),
}

#: Wrong gradients, by slug.
PLANTS: dict[str, Slip] = LINKS | ANSWERS

#: The wrong gradients and the wrong training loops, by slug.
MISTAKES: dict[str, Slip] = PLANTS | LOOPS


def kind_of(plant: Slip) -> str:
    """Return where a mistake is: `gradient` or `training`."""
    return "training" if plant in LOOPS.values() else "gradient"


def gradient_in(plant: Slip, form: str = "stable") -> Callable[[Any, Any, Any], Any]:
    """Return a fresh gradient with a form of σ', right if the mistake is in the training."""
    right = answer if plant in ANSWERS.values() else manual.article.gradient
    made = right if kind_of(plant) == "training" else plant.of(right)
    return partial(made, derivative=SIGMOID_DERIVATIVES[form])


def train_in(plant: Slip, form: str = "stable") -> Callable[..., Iterator[Any]]:
    """Return the training loop, `manual.sgd.train` if the mistake is in the gradient."""
    if kind_of(plant) == "gradient":
        return manual.sgd.train
    made = plant.of(manual.sgd.train)
    # The one loop with a chain rule of its own.
    return partial(made, slope=SIGMOID_DERIVATIVES[form]) if made is too_early else made
