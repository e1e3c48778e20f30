"""Errata on descent: signs, slopes, the loss as a surface, the order of samples, the start."""

from collections import deque
from itertools import islice
from typing import Any

import numpy as np

import manual.article
import manual.sgd
from compare.agreement import NAMES, stack
from compare.errata.entry import Shown, erratum, slope
from compare.errata.example import ALICE, BOB, XS, YS, mean_loss, nudged, trained
from compare.experiment import Settings
from compare.people import NEWCOMERS, PEOPLE, raw, shifted
from manual.article import Parameters

#: The distance that a parameter is moved by to see how the loss changes.
NUDGE = 0.01

#: Learning rates from far too small to far too large.
RATES = (0.001, 0.01, 0.1, 1.0, 10.0, 100.0)


@erratum(
    6,
    title="Rising and falling are exchanged",
    section="Optimizer",
    printed="if ∂L/∂w1 is positive, … L = f(w1) is decrescent function; if negative, … L = f(w1) "
    "is increasing function",
    right="∂L/∂w1 > 0: L rises with w1, so lowering w1 lowers L; ∂L/∂w1 < 0: L falls as w1 rises, "
    "so raising w1 lowers L",
    why="A positive slope means uphill to the right. The update goes the other way, to the left, "
    "and that is why the loss falls. The rule is right in the article, its reason is not.",
    printed_latex=r"\frac{\partial L}{\partial w_1} > 0 \;\Rightarrow\; L(w_1) "
    r"\text{ is decreasing}",
    right_latex=r"\frac{\partial L}{\partial w_1} > 0 \;\Rightarrow\; L(w_1) \text{ is increasing}",
)
def signs() -> Shown:
    """Move parameters with a positive and a negative slope, and see how Alice's loss changes."""
    start, (x, y) = manual.article.ones_parameters(), ALICE
    gradient, moves = manual.article.gradient(start, x, y), (-NUDGE, 0.0, NUDGE)
    slopes = {"w1": gradient.w1, "w5": gradient.w5}
    losses = {
        name: [manual.article.loss(nudged(start, name, by), x, y) for by in moves]
        for name in slopes
    }
    directions = {name: "rises" if of[0] < of[-1] else "falls" for name, of in losses.items()}
    return Shown(
        ("Alice", "∂L/∂", f"L at -{NUDGE}", "L", f"L at +{NUDGE}", "to the right, L"),
        [(name, slopes[name], *losses[name], directions[name]) for name in losses],
        " ".join(
            f"∂L/∂{name} is {'positive' if steep > 0 else 'negative'}, and L {directions[name]} "
            f"with {name}."
            for name, steep in slopes.items()
        ),
        digits=8,
    )


@erratum(
    7,
    title="The loss falls to first order, and for one sample",
    section="Optimizer",
    printed="If we do this for every weight and bias in the network, the loss will slowly decrease",
    right="ΔL ≈ −η ‖∇L‖² for small η, and L is the loss of the one sample taken; "
    "the mean loss may rise",
    why="The gradient describes the loss right where you stand. A long step leaves that place, and "
    "a step that suits Alice may harm the others.",
    printed_latex=r"\Delta L < 0",
    right_latex=r"\Delta L = -\eta\,\lVert \nabla L \rVert^2 + O(\eta^2)",
)
def first_order() -> Shown:
    """Take one update with growing η: the loss of its sample, and the mean loss of all four."""
    start = Settings().start()
    steps = [("Alice", *_step(start, ALICE, rate)) for rate in RATES]
    steps.append(("Bob", *_step(start, BOB, Settings().learning_rate)))
    rises = [(name, rate) for name, rate, *_, all_four in steps if all_four > 0]
    own = sum(change > 0 for _, _, change, *_ in steps)
    # The first-order prediction holds for a short step, not for a long one.
    kept = [change / wanted for _, _, change, wanted, _ in steps[: len(RATES)]]
    return Shown(
        ("taken", "η", "ΔL of that sample", "-η ‖∇L‖²", "ΔL of all four, mean"),
        steps,
        f"With η = {RATES[0]:g} the change is {kept[0]:.4f} times what first order says, with "
        f"η = {RATES[-1]:g} {kept[-1]:.4f} times. The loss of the sample taken rose {own} times, "
        f"the mean loss {len(rises)} times: "
        f"{', '.join(f'after {name} with η = {rate:g}' for name, rate in rises)}.",
        digits=4,
    )


def _step(
    start: Parameters, sample: tuple[np.ndarray, np.ndarray], rate: float
) -> tuple[float, float, float, float]:
    """Take one step; return η, the loss's change, its first-order prediction, the mean's change."""
    grads = manual.article.gradient(start, *sample)
    after = manual.sgd.update(start, grads, rate)
    change = manual.article.loss(after, *sample) - manual.article.loss(start, *sample)
    predicted = -rate * sum(float(steep) ** 2 for steep in grads)
    return rate, float(change), predicted, mean_loss(after) - mean_loss(start)


@erratum(
    10,
    title="One after the other is not stochastic",
    section="Optimizer",
    printed="Choose one sample from our dataset. This is what makes it stochastic gradient descent",
    right="stochastic: the next sample is drawn at random, or each epoch is shuffled; the code "
    "that the article follows takes Alice, Bob, Charlie, Diana in turn",
    why="Stochastic means that chance chooses. A fixed order is a cycle, and its updates always "
    "see the people in the same succession. On these four people either way arrives.",
)
def order_of_samples() -> Shown:
    """Train three times in different orders: the orders of two epochs, and the final losses."""
    settings = Settings()
    n, epochs = len(PEOPLE), settings.epochs
    orders = {
        "in turn": manual.sgd.sample_order(n, epochs),
        "shuffled": manual.sgd.sample_order(n, epochs, settings.seed),
        "drawn": np.random.default_rng(settings.seed).integers(n, size=(epochs, n)),
    }
    ends = {name: Parameters(*trained(settings, order)[:, -1]) for name, order in orders.items()}
    losses = {name: mean_loss(end) for name, end in ends.items()}
    newcomers = shifted(raw(NEWCOMERS))
    answers = [manual.article.feedforward(end, newcomers) for end in ends.values()]
    rows: list[Any] = [
        (f"epoch {epoch}", *(" ".join(INITIALS[order[epoch]]) for order in orders.values()))
        for epoch in (0, 1)
    ]
    rows.append((f"mean loss after {epochs} epochs", *losses.values()))
    rows += [(person.name, *column) for person, *column in zip(NEWCOMERS, *answers, strict=True)]
    fixed = ", ".join(name for name, order in orders.items() if (order == order[0]).all())
    return Shown(
        (f"seed {settings.seed}", *orders),
        rows,
        f"The order that is the same in all {epochs} epochs: {fixed}. The losses end between "
        f"{min(losses.values()):.5f} and {max(losses.values()):.5f}.",
    )


#: A B C D: Alice, Bob, Charlie, Diana.
INITIALS = np.array([person.name[0] for person in PEOPLE])

#: Offsets of w1 from the start of the training.
PLACES = (-1.0, 0.0, 1.0)

#: A central difference with a step h is off by about h² and by the rounding of L over h: least near
#: the cube root of a float64's 2e-16.
DIFFERENCE = 6e-6


@erratum(
    8,
    title="The plot has ten dimensions",
    section="Backpropagation",
    printed="the 2D slice (x, y) = (w1, L) of a 9D plot",
    right="L: R⁹ → R has nine inputs and one output, so its graph lies in R¹⁰; "
    "the slice along w1 holds the other eight parameters",
    why="A plot needs an axis for every input and one more for the result: a curve for one input "
    "is flat, a surface for two is 3D. Nine parameters and the loss make ten.",
    printed_latex=r"(x, y) = (w_1, L) \text{ of a 9D plot}",
    right_latex=r"L: \mathbb{R}^9 \to \mathbb{R}, \quad \{(\theta, L(\theta))\} \subset "
    r"\mathbb{R}^{10}",
)
def ten_dimensions() -> Shown:
    """List three points of the slice, with all their coordinates."""
    start = Settings().start()
    thetas = [nudged(start, "w1", by) for by in PLACES]
    points = np.array([[*theta, mean_loss(theta)] for theta in thetas]).T
    names, held = np.array((*NAMES, "L")), (points == points[:, :1]).all(axis=1)
    moves = np.where(held, "held", "moves")
    return Shown(
        ("coordinate", *(f"w1 {by:+g}" for by in PLACES), "along the slice"),
        [(name, *of, how) for name, of, how in zip(names, points, moves, strict=True)],
        f"A point of the graph has {len(points)} coordinates. Along the slice {sum(held)} of them "
        f"are held, and {len(points) - sum(held)} move: the parameter, and the loss.",
    )


@erratum(
    9,
    title="The slope of a slice is no gradient",
    section="Backpropagation",
    printed="the gradient of the 2D slice (x, y) = (w1, L) … is partial derivative",
    right="the slope of the slice is the partial derivative ∂L/∂w1, one number; "
    "the gradient is the vector of all nine",
    why="A slice shows one parameter, and its slope is one number. The gradient collects the "
    "slopes of all nine slices, and points where the loss rises most steeply.",
    right_latex=rf"\nabla L = \left( {slope('L', 'w_1')}, \ldots, {slope('L', 'w_6')}, "
    rf"{slope('L', 'b_1')}, {slope('L', 'b_2')}, {slope('L', 'b_3')} \right)",
)
def slope_of_a_slice() -> Shown:
    """Compare each slice's slope, by a difference, with the gradient, and a step against either."""
    start, rate = Settings().start(), Settings().learning_rate
    # The mean loss's gradient is the mean of the four people's.
    gradient = Parameters(*stack(manual.article.gradient(start, XS, YS)).mean(axis=1))
    # A central difference of the mean loss along each parameter.
    slopes = [
        (mean_loss(nudged(start, name, DIFFERENCE)) - mean_loss(nudged(start, name, -DIFFERENCE)))
        / (2 * DIFFERENCE)
        for name in NAMES
    ]
    only_w1 = Parameters(*np.where(np.array(NAMES) == "w1", gradient, 0.0))
    drops = [
        mean_loss(start) - mean_loss(manual.sgd.update(start, direction, rate))
        for direction in (only_w1, gradient)
    ]
    return Shown(
        ("", "slope of the slice", "component of the gradient"),
        [*zip(NAMES, slopes, gradient, strict=True)],
        f"Each slice has one slope; the gradient has {len(gradient)} components. A step with η = "
        f"{rate:g} against the slope along w1 alone lowers the mean loss by {drops[0]:.6f}, "
        f"against the gradient by {drops[1]:.6f}.",
    )


SEEDS = range(200)

#: The predictions for Emily and Frank in the blog that the article follows.
PUBLISHED = ("0.951", "0.039")

#: The last epoch whose loss it prints.
LAST_PRINTED = 990


@erratum(
    21,
    title="A random start without a seed",
    section="Optimizer",
    printed="we refer each w and b is random; the code it follows then prints 0.951 for Emily and "
    "0.039 for Frank",
    right="a result of a random start needs the seed that it comes from; 0.951 and 0.039 come from "
    "some seeds only",
    why="Every start leads to another end. Who runs the code gets other numbers and cannot tell "
    "whether something is wrong.",
)
def no_seed() -> Shown:
    """Run the article's training from 200 starts, all networks at once."""
    starts = Parameters(*np.array([manual.article.draw_parameters(seed) for seed in SEEDS]).T)
    settings = Settings()
    rate, order = settings.learning_rate, settings.sample_order()
    walked = manual.sgd.train(starts, XS, YS, manual.article.gradient, rate, order)
    (printed,) = deque(islice(walked, (LAST_PRINTED + 1) * order.shape[1]), maxlen=1)
    (end,) = deque(walked, maxlen=1)
    # One more axis, so that every network is evaluated for every person.
    losses = manual.article.loss(Parameters(*(p[:, None] for p in printed)), XS, YS).mean(axis=1)
    emily, frank = (manual.article.feedforward(end, x) for x in shifted(raw(NEWCOMERS)))
    hits = [
        seed
        for seed, answers in zip(SEEDS, zip(emily, frank, strict=True), strict=True)
        if tuple(f"{answer:.3f}" for answer in answers) == PUBLISHED
    ]
    found = {f"loss at epoch {LAST_PRINTED}": losses, "Emily": emily, "Frank": frank}
    return Shown(
        (f"seeds {SEEDS[0]} to {SEEDS[-1]}", "lowest", "median", "highest"),
        [(name, of.min(), np.median(of), of.max()) for name, of in found.items()],
        f"{PUBLISHED[0]} and {PUBLISHED[1]} come from {len(hits)} of {len(SEEDS)} seeds: "
        f"{', '.join(map(str, hits))}.",
        digits=4,
    )
