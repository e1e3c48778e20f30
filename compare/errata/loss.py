"""Errata on the loss and the chain rule: factors, paths, indices, and rounding on the way."""

from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import autodiff.article
import manual.article
from autodiff.precision import in_float64
from compare.agreement import NAMES, compare_gradients
from compare.errata.entry import Shown, erratum, slope
from compare.errata.example import ALICE, XS, YS, gradient_with, mean_loss, trained
from compare.experiment import Settings
from compare.people import NEWCOMERS, PEOPLE, label, raw, shifted
from manual.activations import sigmoid, sigmoid_derivative
from manual.article import Parameters, forward_lines, gradient_lines
from manual.losses import mse, squared_error

#: In LaTeX: ∂L/∂y_pred, and as the article has it, without the square.
_SLOPE = slope("L", "y_{pred}")
_PRINTED = rf"{_SLOPE} = " + slope(r"\frac{\sum\limits_{i=0}^{n} (y_i - y_{pred})}{n}", "y_{pred}")

#: Epochs whose losses are shown.
EPOCHS = (0, 10, 100, 500, 999)


@erratum(
    1,
    title="The square is missing",
    section="Backpropagation",
    printed="∂L/∂y_pred = ∂(Σ (y_i − y_pred) / n) / ∂y_pred",
    right="∂L/∂y_pred = ∂(y − y_pred)² / ∂y_pred = −2 (y − y_pred) for one sample; "
    "−(2/n) (y_i − y_pred,i) for the mean over n",
    why="The loss is the mean of squared errors. Without the square its derivative is −1 for one "
    "sample, whatever was predicted and whatever is right: every update raises y_pred, for Bob "
    "and Charlie as for Alice and Diana.",
    printed_latex=_PRINTED,
    right_latex=rf"{_SLOPE} = {slope('(y - y_{pred})^2', 'y_{pred}')} = -2\,(y - y_{{pred}})",
)
def missing_square() -> Shown:
    """Run the article's training with the printed and with the right derivative."""
    settings = Settings(seed=0)
    trainings = (
        trained(settings, gradient=lambda params, x, _: gradient_with(-1.0, params, x)),
        trained(settings),
    )
    everybody = (*PEOPLE, *NEWCOMERS)
    at_start = mean_loss(settings.start())
    losses = [[mean_loss(Parameters(*after[:, epoch])) for after in trainings] for epoch in EPOCHS]
    answers = [
        manual.article.feedforward(Parameters(*after[:, -1]), shifted(raw(everybody)))
        for after in trainings
    ]
    women = [sum(label(answer) == "F" for answer in column) for column in answers]
    rows: list[Any] = [("mean loss at the start", at_start, at_start)]
    rows += [(f"after epoch {epoch}", *pair) for epoch, pair in zip(EPOCHS, losses, strict=True)]
    for person, *pair in zip(everybody, *answers, strict=True):
        gender = f", {person.gender}" if person.gender else ""
        told = (f"{answer:.3f} {label(answer)}" for answer in pair)
        rows.append((f"{person.name}{gender}", *told))
    return Shown(
        ("seed 0, η = 0.1", "as printed", "right"),
        rows,
        f"Trained as printed, {women[0]} of {len(everybody)} people come out as F and the loss "
        f"ends at {losses[-1][0]:.4f}; with the square it ends at {losses[-1][1]:.4f}, and "
        f"{women[1]} are F.",
    )


@erratum(
    2,
    title="The sum begins at 0, and the prediction has no index",
    section="Backpropagation",
    printed="Σ (y_i − y_pred) / n with i = 0 to n",
    right="Σ (y_i − y_pred,i)² / n with i = 1 to n",
    why="From 0 to n there are n + 1 terms, one more than there are people. And each person has a "
    "prediction of his or her own: one y_pred for all of them could do no better than their "
    "mean.",
    printed_latex=r"\frac{\sum\limits_{i=0}^{n} (y_i - y_{pred})}{n}",
    right_latex=r"\frac{1}{n} \sum_{i=1}^{n} (y_i - y_{pred,i})^2",
)
def index_from_zero() -> Shown:
    """List the terms one by one, for the trained network and for the best single prediction."""
    n = len(YS)
    ypred = manual.article.feedforward(Parameters(*trained(Settings())[:, -1]), XS)
    # (y - c)² summed over people is least where c is their mean.
    single = YS.mean()
    losses = squared_error(YS, ypred), squared_error(YS, single)
    names = [person.name for person in PEOPLE]
    rows: list[Any] = [("0", "nobody", *["-"] * 4)]
    rows += zip(map(str, range(1, n + 1)), names, YS, ypred, *losses, strict=True)
    own, alike = mse(YS, ypred), mse(YS, np.full(n, single))
    rows.append(("", f"sum / {n}", "", "", own, alike))
    return Shown(
        ("i", "person", "y_i", "y_pred,i", "squared error", f"with one y_pred, {single:g}"),
        rows,
        f"From i = 0 to {n} there are {n + 1} terms for {n} people. With predictions of their "
        f"own the mean loss is {own:.6f}; with the best single one it is {alike:g}.",
    )


@erratum(
    3,
    title="∂y_partial is ∂y_pred",
    section="Backpropagation",
    printed="∂L/∂w_i = ∂L/∂y_pred × ∂y_partial/∂w_i",
    right="∂L/∂w_i = ∂L/∂y_pred × ∂y_pred/∂w_i",
    why="There is no y_partial. The chain rule goes through y_pred: how L changes with y_pred, "
    "times how y_pred changes with w_i. What cancels in name must be the same thing.",
    printed_latex=rf"{slope('L', 'w_i')} = {_SLOPE} \times {slope('y_{partial}', 'w_i')}",
    right_latex=rf"{slope('L', 'w_i')} = {_SLOPE} \times {slope('y_{pred}', 'w_i')}",
)
def y_partial() -> Shown:
    """Compute both factors by hand and compare their products with autodiff."""
    start, (x, y) = Settings().start(), ALICE
    dloss = -2 * (y - manual.article.feedforward(start, x))
    dypred = gradient_with(1.0, start, x)

    products = Parameters(*(dloss * factor for factor in dypred))
    judged = compare_gradients(start, x, y, by_hand=lambda *_: products)
    agree = sum(row.verdict == "agree" for row in judged)
    return Shown(
        ("Alice", "∂y_pred/∂", f"times {dloss:.6f}", "∂L/∂ by jax.grad", "verdict"),
        [
            (row.name, factor, row.by_hand, row.autodiff, row.verdict)
            for row, factor in zip(judged, dypred, strict=True)
        ],
        f"With ∂L/∂y_pred = {dloss:.6f}, {agree} of {len(judged)} products are ∂L/∂w_i, within "
        "rounding.",
        digits=9,
    )


def _chain(parameter: str, unit: str, own: str, aligned: str = " &") -> str:
    through = rf"{slope('y_{pred}', unit)} \times {slope(unit, own)}"
    return rf"{slope('L', parameter)}{aligned}= {_SLOPE} \times {through}"


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
    printed_latex=_chain("w_i", "h_1", "w_1", " "),
    right_latex=rf"\begin{{aligned}} {_chain('w_1', 'h_1', 'w_1')} \\ "
    rf"{_chain('w_3', 'h_2', 'w_3')} \\ "
    rf"{slope('L', 'w_5')} &= {_SLOPE} \times {slope('y_{pred}', 'w_5')} \end{{aligned}}",
)
def only_through_h1() -> Shown:
    """Judge the printed chain, word for word and with each parameter's own ∂h1/∂."""
    start, (x, y) = Settings().start(), ALICE
    steps = manual.article.forward(start, x)
    dloss_dh1 = -2 * (y - steps.ypred) * sigmoid_derivative(steps.z3) * start.w5
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
        [
            (row.name, p, row.by_hand, r, row.verdict)
            for row, p, r in zip(judged, printed, right, strict=True)
        ],
        f"Word for word the chain is right for {', '.join(hits)}; with the parameter's own ∂h1/∂ "
        f"for {', '.join(own)}, {len(own)} of {len(NAMES)}. For the others h1 is not on the way.",
    )


@erratum(
    5,
    title="Two factors are left open",
    section="Backpropagation",
    printed="∂L/∂y_pred = ∂(Σ (y_i − y_pred) / n) / ∂y_pred, and sigmoid′(…), neither worked out",
    right="∂L/∂y_pred = −2 (y − y_pred); σ′(z) = σ(z) (1 − σ(z)), which is σ(z) σ(−z)",
    why="A derivative that still says ∂ cannot be computed. Both factors come to one short line "
    "each. σ(z) σ(−z) is the same number as σ (1 − σ), and keeps its digits where σ is close to 1.",
    printed_latex=rf"{_PRINTED}, \quad \text{{sigmoid}}'(\ldots)",
    right_latex=_SLOPE + r" = -2\,(y - y_{pred}), \quad "
    r"\sigma'(z) = \sigma(z)\,(1 - \sigma(z)) = \sigma(z)\,\sigma(-z)",
)
def unfinished_factors() -> Shown:
    """Compute both factors for Alice at weights 1 and biases 0, by hand and by jax.grad."""
    start, (x, y) = manual.article.ones_parameters(), ALICE
    steps = manual.article.forward(start, x)
    steepness = in_float64(jax.grad(jax.nn.sigmoid))
    squared = in_float64(jax.grad(lambda p, y: jnp.square(y - p)))
    by_hand = manual.article.gradient(start, x, y).w1
    by_autodiff = autodiff.article.gradient(autodiff.article.Parameters(*start), x, y).w1
    z1, z3, ypred = steps.z1, steps.z3, steps.ypred
    rows = [
        ("∂L/∂y_pred", "-2 (y - y_pred)", -2 * (y - ypred), squared(ypred, y)),
        ("σ′(z3)", "σ(z3) σ(-z3)", sigmoid_derivative(z3), steepness(z3)),
        ("σ′(z1)", "σ(z1) σ(-z1)", sigmoid_derivative(z1), steepness(z1)),
        ("∂L/∂w1", "all three × w5 x1", by_hand, by_autodiff),
    ]
    return Shown(
        ("Alice", "", "by hand", "by jax.grad"),
        rows,
        f"With both factors given, ∂L/∂w1 is a number: {by_hand:.15g}.",
        digits=15,
    )


@erratum(
    22,
    title="Rounded on the way",
    section="Backpropagation, the worked example of the blog that it follows",
    printed="h1 + h2 = 0.0948, ∂L/∂y_pred = −0.952, ∂L/∂w1 = 0.0214",
    right="h1 + h2 = 0.0949, ∂L/∂y_pred = −0.953, ∂L/∂w1 = 0.0215",
    why="Each number was rounded to three digits before the next was computed from it. Half a unit "
    "lost in h1 is a whole one in h1 + h2, and so on to the end. Keep all digits, and round what "
    "you print.",
    printed_latex=r"\frac{\partial L}{\partial w_1} = 0.0214",
    right_latex=r"\frac{\partial L}{\partial w_1} = 0.0215",
)
def rounded_on_the_way() -> Shown:
    """Run the example twice with the same lines: on numbers of three digits, and on all digits."""
    (x1, x2), y = ALICE
    numbers = (*manual.article.ones_parameters(), x1, x2, y)
    functions = (sigmoid, sigmoid_derivative)
    with localcontext(prec=3):  # decimal numbers are rounded after every operation
        rounded = [lambda z, of=of: +Decimal(float(of(float(z)))) for of in functions]
        on_paper = _example(*map(Decimal, numbers), functions=rounded)
    full = _example(*numbers, functions=functions)
    at_the_end = {name: float(f"{value:.3g}") for name, value in full.items()}
    wrong = [name for name in full if on_paper[name] != at_the_end[name]]
    return Shown(
        ("Alice", "rounded on the way", "at the end", "all digits"),
        [(name, on_paper[name], at_the_end[name], full[name]) for name in full],
        f"The third digit is wrong in {len(wrong)} of {len(full)} numbers: {', '.join(wrong)}.",
        digits=9,
    )


def _example(*numbers: Any, functions: Sequence[Callable[[Any], Any]]) -> dict[str, float]:
    """Compute the worked example on numbers of either type, with their σ and σ'."""
    *params, x1, x2, y = numbers
    sigmoid, derivative = functions
    steps = forward_lines(Parameters(*params), x1, x2, sigmoid)
    grads = gradient_lines(Parameters(*params), x1, x2, y, steps, derivative)
    computed = {
        "h1": steps.h1,
        "h1 + h2": steps.z3,
        "y_pred": steps.ypred,
        "∂L/∂y_pred": (y - steps.ypred) * -2,
        "σ′(h1 + h2)": derivative(steps.z3),
        "∂L/∂w1": grads.w1,
    }
    return {name: float(number) for name, number in computed.items()}
