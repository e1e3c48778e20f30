"""Errata on data: the effect of a shift on a table, and a threshold at exactly 0."""

from compare.errata.entry import Shown, erratum
from compare.people import PEOPLE, raw, shifted
from manual.activations import step
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
    numbers = {
        name: {"means": x.mean(axis=0).tolist(), "deviations": x.std(axis=0).tolist()}
        for name, x in treatments.items()
    }
    rows = [
        # Rounded, so that the rounding error left by subtracting a mean is not shown.
        (name, *(round(found[key][j], 9) for j in (0, 1) for key in ("means", "deviations")))
        for name, found in numbers.items()
    ]
    left = numbers["less 135 and 66"]["means"]
    return Shown(
        ("", "weight: mean", "deviation", "height: mean", "deviation"),
        tuple(rows),
        f"The means are {means[0]:g} lb and {means[1]:g} in; the article's shift leaves "
        f"{left[0]:g} and {left[1]:g} of them, and the spread untouched.",
        numbers,
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
    marks = (40, 49, 50, 51, 60)
    strict, smooth = Neuron([1.0], -50.0, step), Neuron([1.0], -50.0)
    rows = []
    for mark in marks:
        _, x, hard = strict.steps([mark])
        soft = smooth.feedforward([mark])
        rows.append((str(mark), float(x), float(hard), float(soft), _served(float(hard))))
    steps = {row[0]: row[2] for row in rows}
    sigmoids = {row[0]: row[3] for row in rows}
    return Shown(
        ("mark", "x", "step(x)", "σ(x)", "by the step"),
        tuple(rows),
        f"At 50 the step says {steps['50']:g} and the sigmoid {sigmoids['50']:g}; from 49 to 51 "
        f"the step jumps by {steps['51'] - steps['49']:g}, the sigmoid rises by "
        f"{sigmoids['51'] - sigmoids['49']:.2f}.",
        {"step": steps, "sigmoid": sigmoids},
        digits=5,
    )


def _served(answer: float) -> str:
    return "dinner" if answer == 1 else "beaten"
