"""Errata on stochastic gradient descent: signs, when the loss falls, the order of samples."""

import numpy as np

import manual.article
import manual.sgd
from compare.errata.entry import Cell, Shown, erratum
from compare.errata.example import ALICE, BOB, XS, drawn, mean_loss, trained
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
    slopes = manual.article.gradient(start, x, y)._asdict()
    losses: dict[str, list[float]] = {}
    for name in ("w1", "w5"):
        moved = [getattr(start, name) + by for by in (-NUDGE, 0.0, NUDGE)]
        losses[name] = [
            float(manual.article.loss(start._replace(**{name: w}), x, y)) for w in moved
        ]
    directions = {
        name: "rises" if low < high else "falls" for name, (low, _, high) in losses.items()
    }
    signs = {name: "positive" if slopes[name] > 0 else "negative" for name in losses}
    return Shown(
        ("Alice", "∂L/∂", f"L at -{NUDGE}", "L", f"L at +{NUDGE}", "to the right, L"),
        tuple((name, float(slopes[name]), *losses[name], directions[name]) for name in losses),
        " ".join(
            f"∂L/∂{name} is {signs[name]}, and L {directions[name]} with {name}." for name in losses
        ),
        {"slopes": {name: float(slopes[name]) for name in losses}, "losses": losses},
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
    start = drawn()
    steps = [("Alice", *_step(start, ALICE, rate)) for rate in RATES]
    steps.append(("Bob", *_step(start, BOB, Settings().learning_rate)))
    rises = [(name, rate) for name, rate, *_, all_four in steps if all_four > 0]
    own = sum(change > 0 for _, _, change, _, _ in steps)
    # The first-order prediction holds for a short step, not for a long one.
    kept = [change / promised for _, _, change, promised, _ in steps[: len(RATES)]]
    return Shown(
        ("taken", "η", "ΔL of that sample", "-η ‖∇L‖²", "ΔL of all four, mean"),
        tuple(steps),
        f"With η = {RATES[0]:g} the change is {kept[0]:.4f} times what first order says, with "
        f"η = {RATES[-1]:g} {kept[-1]:.4f} times. The loss of the sample taken rose {own} times, "
        f"the mean loss {len(rises)} times: "
        f"{', '.join(f'after {name} with η = {rate:g}' for name, rate in rises)}.",
        {
            "changes": [step[2] for step in steps],
            "first_order": [step[3] for step in steps],
            "mean_changes": [step[4] for step in steps],
            "kept": kept,
            "rises": [list(pair) for pair in rises],
        },
        digits=4,
    )


def _step(
    start: Parameters, sample: tuple[np.ndarray, np.ndarray], rate: float
) -> tuple[float, float, float, float]:
    """Take one step; return η, the loss's change, its first-order prediction, the mean's change."""
    grads = manual.article.gradient(start, *sample)
    after = manual.sgd.update(start, grads, rate)
    change = manual.article.loss(after, *sample) - manual.article.loss(start, *sample)
    predicted = -rate * sum(float(slope) ** 2 for slope in grads)
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
    rows: list[tuple[Cell, ...]] = [
        (f"epoch {epoch}", *(_initials(order[epoch]) for order in orders.values()))
        for epoch in (0, 1)
    ]
    rows.append((f"mean loss after {epochs} epochs", *losses.values()))
    rows += [
        (person.name, *(float(answer[k]) for answer in answers))
        for k, person in enumerate(NEWCOMERS)
    ]
    repeats = {name: bool((order == order[0]).all()) for name, order in orders.items()}
    fixed = ", ".join(name for name, same in repeats.items() if same)
    return Shown(
        (f"seed {settings.seed}", *orders),
        tuple(rows),
        f"The order that is the same in all {epochs} epochs: {fixed}. The losses end between "
        f"{min(losses.values()):.5f} and {max(losses.values()):.5f}.",
        {
            "repeats": repeats,
            "losses": losses,
            "people_each_epoch": {
                name: sorted({len(set(epoch)) for epoch in order.tolist()})
                for name, order in orders.items()
            },
            "samples": len(XS),
        },
    )


def _initials(samples: np.ndarray) -> str:
    """A B C D: Alice, Bob, Charlie, Diana."""
    return " ".join(PEOPLE[sample].name[0] for sample in samples)
