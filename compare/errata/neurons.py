"""Errata on data, history and biology: shifts, thresholds, names, what neurons do."""

from itertools import product

import manual.article
from compare.errata.entry import Shown, erratum
from compare.people import PEOPLE, raw, shifted
from manual.activations import step
from manual.article import Parameters
from manual.neuron import Neuron


@erratum(
    16,
    title="A shift is no normalisation",
    section="Training a Neural Network (Part 1)",
    printed="The process making data more easier to use follows the methodology of Normalization",
    right="subtracting 135 and 66 is a translation; centring subtracts the means, 141.25 and "
    "66.75; standardising also divides by the standard deviations",
    why="A shift moves all points alike: the spread stays, and unless it is the mean that is "
    "subtracted, so does an offset. Normalising also brings all columns to one scale.",
    printed_latex=r"x - (135, 66)",
    right_latex=r"\frac{x - \bar{x}}{s_x}",
)
def shift_or_normalise() -> Shown:
    """Compute both columns' mean and standard deviation, raw and after three treatments."""
    people = raw(PEOPLE)
    means, deviations = people.mean(axis=0), people.std(axis=0)
    treatments = {
        "as measured": people,
        "less 135 and 66": shifted(people),
        "less the means": people - means,
        "standardised": (people - means) / deviations,
    }
    rows = [
        # Rounded, so that the rounding error left by subtracting a mean is not shown.
        (name, *(round(number, 9) for j in (0, 1) for number in (x[:, j].mean(), x[:, j].std())))
        for name, x in treatments.items()
    ]
    left = treatments["less 135 and 66"].mean(axis=0)
    return Shown(
        ("", "weight: mean", "deviation", "height: mean", "deviation"),
        rows,
        f"The means are {means[0]:g} lb and {means[1]:g} in; the article's shift leaves "
        f"{left[0]:g} and {left[1]:g} of them, and the spread untouched.",
    )


@erratum(
    17,
    title="A mark of exactly 50",
    section="Activation Function",
    printed="when x is positive, you will have a delicious dinner; when x is negative, you will be "
    "beaten by mama",
    right="x = 0 belongs to one of the two: beaten if the mark is lower than 50, otherwise dinner, "
    "so step(0) = 1; σ(0) = 1/2",
    why="Neither positive nor negative is 0, and that is the mark of 50. The sentence before it "
    "decides: lower than 50, otherwise. The sigmoid has no such jump.",
    printed_latex=r"\text{step}(x) = \begin{cases} 1 & x > 0 \\ 0 & x < 0 \end{cases}",
    right_latex=r"\text{step}(x) = \begin{cases} 1 & x \ge 0 \\ 0 & x < 0 \end{cases}",
)
def mark_of_fifty() -> Shown:
    """Evaluate marks around 50 with a step neuron and with a sigmoid neuron."""
    strict, smooth = Neuron([1.0], -50.0, step), Neuron([1.0], -50.0)
    rows = []
    for mark in (40, 49, 50, 51, 60):
        _, x, hard = strict.steps([mark])
        served = "dinner" if hard == 1 else "beaten"
        rows.append((str(mark), x, hard, smooth.feedforward([mark]), served))
    (_, at_49, at_50, at_51, _) = rows
    return Shown(
        ("mark", "x", "step(x)", "σ(x)", "by the step"),
        rows,
        f"At 50 the step says {at_50[2]:g} and the sigmoid {at_50[3]:g}; from 49 to 51 the step "
        f"jumps by {at_51[2] - at_49[2]:g}, the sigmoid rises by {at_51[3] - at_49[3]:.2f}.",
        digits=5,
    )


#: Threshold units: each fires where the sum of what it takes in reaches -bias.
AND, OR = Neuron([1.0, 1.0], -2.0, step), Neuron([1.0, 1.0], -1.0, step)
NOT, NOT_BOTH = Neuron([-1.0], 0.0, step), Neuron([-1.0, -1.0], 1.0, step)


@erratum(
    18,
    title="McCulloch, and 1943",
    section="Introduction",
    printed="Neural networks were first proposed in 1944 by Warren McCullough and Walter Pitts",
    right="in 1943, by Warren McCulloch and Walter Pitts",
    why="W. S. McCulloch and W. Pitts, A logical calculus of the ideas immanent in nervous "
    "activity, Bulletin of Mathematical Biophysics 5, 115-133, 1943. Their neurons fire or do not, "
    "and nets of them compute with true and false.",
)
def year_and_name() -> Shown:
    """Compute and, or, not with one threshold unit each, and exclusive or with a net of three."""
    rows = []
    for x1, x2 in product((0.0, 1.0), repeat=2):
        either, not_both = OR.feedforward([x1, x2]), NOT_BOTH.feedforward([x1, x2])
        one = AND.feedforward([either, not_both])
        row = (AND.feedforward([x1, x2]), either, NOT.feedforward([x1]), one)
        rows.append((f"{x1:g}", f"{x2:g}", *row))
    return Shown(
        ("x1", "x2", "x1 and x2", "x1 or x2", "not x1", "exactly one"),
        rows,
        "One unit that sums and compares with a threshold computes and, or, not; exactly one of "
        "two takes three of them in two layers, as the article's network has.",
    )


@erratum(
    19,
    title="Released at the terminal, received at the dendrites",
    section="Neuron in Biology",
    printed="At the Dendrites, neurotransmitters are released, triggering nerve impulse in "
    "neighboring neurons",
    right="neurotransmitters are released at the axon terminal, and received at the dendrites of "
    "the next neuron",
    why="A signal enters a neuron at its dendrites and leaves it at the axon terminal. The model "
    "keeps that: inputs, their sum, the output, which is an input of the next neuron.",
)
def where_released() -> Shown:
    """Run the article's example network neuron by neuron, in the order of the signal."""
    h1, h2, o1 = manual.article.neurons(Parameters(0, 1, 0, 1, 0, 1, 0, 0, 0))
    x = [2.0, 3.0]
    released = [h.feedforward(x) for h in (h1, h2)]
    rows = []
    for name, neuron, inputs in (("h1", h1, x), ("h2", h2, x), ("o1", o1, released)):
        steps = neuron.steps(inputs)
        received = ", ".join(f"{value:.6g}" for value in inputs)
        rows.append((name, received, steps.z, steps.output))
    return Shown(
        ("neuron", "dendrites: inputs", "axon hillock: sum", "axon terminal: output"),
        rows,
        f"What o1 receives, {released[0]:.6f} and {released[1]:.6f}, is what h1 and h2 release; "
        f"o1 releases {rows[-1][-1]:.6f}.",
        digits=9,
    )


@erratum(
    20,
    title="Ions through channels, not electrons by the pump",
    section="Neuron in Biology",
    printed="transmit electronic signal through the Axon by the effect of exchanging electrons "
    "with Na+/K+-ATPase",
    right="the impulse is ions, Na⁺ in and K⁺ out, that pass through voltage-gated channels; the "
    "pump Na⁺/K⁺-ATPase keeps up the difference in concentration that drives them",
    why="No electrons are exchanged: charged atoms cross the membrane. The channels open when the "
    "voltage passes a threshold (Hodgkin & Huxley, Journal of Physiology 117, 500-544, 1952). The "
    "pump runs all the time, and keeps the ions sorted.",
)
def ions() -> Shown:
    """Raise a neuron's weighted sum past its threshold: all that the model has of an impulse."""
    threshold = 3.0
    fires, smooth = Neuron([0.0, 1.0], -threshold, step), Neuron([0.0, 1.0], -threshold)
    rows = []
    for x2 in (2.0, 2.9, 3.0, 3.1, 4.0):
        weighted, z, output = fires.steps([2.0, x2])
        rows.append((weighted.sum(), threshold, z, output, smooth.feedforward([2.0, x2])))
    at = next(row[0] for row in rows if row[3] == 1)
    return Shown(
        ("weighted sum", "threshold -b", "z", "step(z)", "σ(z)"),
        rows,
        "No number of the model stands for an ion, a channel or the pump. In their place it has a "
        f"sum and a threshold: with -b = {threshold:g} the first sum that fires is {at:g}.",
        digits=4,
    )
