"""Errata on the chain rule: a factor that does not exist, a missing path, unfinished factors."""

import jax
import jax.numpy as jnp

import autodiff.article
import manual.article
from autodiff.precision import in_float64
from compare.agreement import NAMES, compare_gradients
from compare.errata.entry import Shown, erratum
from compare.errata.example import ALICE, drawn, gradient_with
from manual.activations import sigmoid_derivative
from manual.arrays import Array
from manual.article import Parameters
from manual.losses import mse_backward, mse_forward


def _dloss(ypred: Array, y: Array) -> Array:
    """Compute ∂L/∂ypred of one sample by hand, as the mean over n = 1."""
    _, residual = mse_forward(ypred.reshape(1, 1), y.reshape(1, 1))
    return mse_backward(1.0, residual)[0, 0]


@erratum(
    3,
    title="∂y_partial is ∂y_pred",
    section="Backpropagation",
    printed="∂L/∂w_i = ∂L/∂y_pred × ∂y_partial/∂w_i",
    right="∂L/∂w_i = ∂L/∂y_pred × ∂y_pred/∂w_i",
    why="There is no y_partial. The chain rule goes through y_pred: how L changes with y_pred, "
    "times how y_pred changes with w_i. What cancels in name must be the same thing.",
    printed_latex=r"\frac{\partial L}{\partial w_i} = \frac{\partial L}{\partial y_{pred}} \times "
    r"\frac{\partial y_{partial}}{\partial w_i}",
    right_latex=r"\frac{\partial L}{\partial w_i} = \frac{\partial L}{\partial y_{pred}} \times "
    r"\frac{\partial y_{pred}}{\partial w_i}",
)
def y_partial() -> Shown:
    """Compute both factors by hand and compare their products with autodiff."""
    start, (x, y) = drawn(), ALICE
    dloss = _dloss(manual.article.feedforward(start, x), y)
    dypred = gradient_with(1.0, start, x)

    def product(*_: Array) -> Parameters:
        return Parameters(*(dloss * factor for factor in dypred))

    judged = compare_gradients(start, x, y, by_hand=product)
    agree = sum(row.verdict == "agree" for row in judged)
    rows = [
        (row.name, float(factor), row.by_hand, row.autodiff, row.verdict)
        for row, factor in zip(judged, dypred, strict=True)
    ]
    return Shown(
        ("Alice", "∂y_pred/∂", f"times {dloss:.6f}", "∂L/∂ by jax.grad", "verdict"),
        tuple(rows),
        f"With ∂L/∂y_pred = {dloss:.6f}, {agree} of {len(judged)} products are ∂L/∂w_i, within "
        "rounding.",
        {
            "dloss": float(dloss),
            "agree": agree,
            "products": [row.by_hand for row in judged],
            "autodiff": [row.autodiff for row in judged],
        },
        digits=9,
    )


@erratum(
    4,
    title="Not every path leads through h1",
    section="Backpropagation",
    printed="∂L/∂w_i = ∂L/∂y_pred × ∂y_pred/∂h1 × ∂h1/∂w1",
    right="w1, w2, b1 go through h1, each with its own ∂h1/∂; w3, w4, b2 through h2: ∂L/∂y_pred × "
    "∂y_pred/∂h2 × ∂h2/∂w3; w5, w6, b3 through neither: ∂L/∂y_pred × ∂y_pred/∂w5",
    why="A parameter changes the loss along the arrows that lead from it to the output. w3, w4 and "
    "b2 sit before h2 and never touch h1; w5, w6 and b3 come after both. The article derives no "
    "bias at all.",
    printed_latex=r"\frac{\partial L}{\partial w_i} = \frac{\partial L}{\partial y_{pred}} \times "
    r"\frac{\partial y_{pred}}{\partial h_1} \times \frac{\partial h_1}{\partial w_1}",
    right_latex=r"\begin{aligned} \frac{\partial L}{\partial w_1} &= \frac{\partial L}"
    r"{\partial y_{pred}} \times \frac{\partial y_{pred}}{\partial h_1} \times "
    r"\frac{\partial h_1}{\partial w_1} \\ \frac{\partial L}{\partial w_3} &= \frac{\partial L}"
    r"{\partial y_{pred}} \times \frac{\partial y_{pred}}{\partial h_2} \times "
    r"\frac{\partial h_2}{\partial w_3} \\ \frac{\partial L}{\partial w_5} &= \frac{\partial L}"
    r"{\partial y_{pred}} \times \frac{\partial y_{pred}}{\partial w_5} \end{aligned}",
)
def only_through_h1() -> Shown:
    """Judge the printed chain, word for word and with each parameter's own ∂h1/∂."""
    start, (x, y) = drawn(), ALICE
    steps = manual.article.forward(start, x)
    dloss_dh1 = _dloss(steps.ypred, y) * sigmoid_derivative(steps.z3) * start.w5
    # ∂h1/∂ each of the nine, differentiated from the forward pass itself.
    dh1 = in_float64(jax.grad(lambda params, x: manual.article.forward(params, x).h1))(start, x)
    printed = Parameters(*[dloss_dh1 * dh1.w1] * len(NAMES))
    through_h1 = Parameters(*(dloss_dh1 * factor for factor in dh1))
    word_for_word = compare_gradients(start, x, y, by_hand=lambda *_: printed)
    judged = compare_gradients(start, x, y, by_hand=lambda *_: through_h1)
    right = manual.article.gradient(start, x, y)
    hits = [row.name for row in word_for_word if row.verdict == "agree"]
    own = [row.name for row in judged if row.verdict == "agree"]
    return Shown(
        ("Alice, ∂L/∂", "with ∂h1/∂w1", "with its own ∂h1/∂", "right", "its own: verdict"),
        tuple(
            (row.name, float(p), row.by_hand, float(r), row.verdict)
            for row, p, r in zip(judged, printed, right, strict=True)
        ),
        f"Word for word the chain is right for {', '.join(hits)}; with the parameter's own ∂h1/∂ "
        f"for {', '.join(own)}, {len(own)} of {len(NAMES)}. For the others h1 is not on the way.",
        {"word_for_word": hits, "through_h1": own, "values": [row.by_hand for row in judged]},
    )


@erratum(
    5,
    title="Two factors are left open",
    section="Backpropagation",
    printed="∂L/∂y_pred = ∂(Σ (y_i − y_pred) / n) / ∂y_pred, and sigmoid′(…), neither worked out",
    right="∂L/∂y_pred = −2 (y − y_pred); σ′(z) = σ(z) (1 − σ(z)), which is σ(z) σ(−z)",
    why="A derivative that still says ∂ cannot be computed. Both factors come to one short line "
    "each. σ(z) σ(−z) is the same number as σ (1 − σ), and keeps its digits where σ is close to 1.",
    printed_latex=r"\frac{\partial L}{\partial y_{pred}} = \frac{\partial "
    r"\frac{\sum\limits_{i=0}^{n} (y_i - y_{pred})}{n}}{\partial y_{pred}}, \quad "
    r"\text{sigmoid}'(\ldots)",
    right_latex=r"\frac{\partial L}{\partial y_{pred}} = -2\,(y - y_{pred}), \quad "
    r"\sigma'(z) = \sigma(z)\,(1 - \sigma(z)) = \sigma(z)\,\sigma(-z)",
)
def unfinished_factors() -> Shown:
    """Compute both factors for Alice at weights 1 and biases 0, by hand and by jax.grad."""
    start, (x, y) = manual.article.ones_parameters(), ALICE
    steps = manual.article.forward(start, x)
    by_hand = {
        "∂L/∂y_pred": _dloss(steps.ypred, y),
        "σ′(z3)": sigmoid_derivative(steps.z3),
        "σ′(z1)": sigmoid_derivative(steps.z1),
        "∂L/∂w1": manual.article.gradient(start, x, y).w1,
    }
    slope = in_float64(jax.grad(jax.nn.sigmoid))
    by_autodiff = {
        "∂L/∂y_pred": in_float64(jax.grad(lambda p, y: jnp.square(y - p)))(steps.ypred, y),
        "σ′(z3)": slope(steps.z3),
        "σ′(z1)": slope(steps.z1),
        "∂L/∂w1": autodiff.article.gradient(autodiff.article.Parameters(*start), x, y).w1,
    }
    formulas = ("-2 (y - y_pred)", "σ(z3) σ(-z3)", "σ(z1) σ(-z1)", "all three × w5 x1")
    return Shown(
        ("Alice", "", "by hand", "by jax.grad"),
        tuple(
            (name, formula, float(by_hand[name]), float(by_autodiff[name]))
            for name, formula in zip(by_hand, formulas, strict=True)
        ),
        f"With both factors given, ∂L/∂w1 is a number: {by_hand['∂L/∂w1']:.15g}.",
        {
            "by_hand": {name: float(value) for name, value in by_hand.items()},
            "autodiff": {name: float(value) for name, value in by_autodiff.items()},
        },
        digits=15,
    )
