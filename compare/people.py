"""The people of the article, and the shift of their data.

The network's inputs are weight minus 135 lb and height minus 66 in; the target is 0 for male and 1
for female. The article calls the shift normalisation; it is a translation to small whole numbers.
"""

from dataclasses import dataclass

import numpy as np

POUNDS_PER_KG = 1 / 0.45359237  # by definition of the international pound
INCHES_PER_CM = 1 / 2.54  # by definition of the international inch


@dataclass(frozen=True)
class Person:
    """One row of the article's table."""

    name: str
    weight: float  #: lb
    height: float  #: in
    gender: str | None  #: "F", "M", or None where it is to be predicted


PEOPLE = (
    Person("Alice", 133, 65, "F"),
    Person("Bob", 160, 72, "M"),
    Person("Charlie", 152, 70, "M"),
    Person("Diana", 120, 60, "F"),
)

#: The two whose gender the article predicts after training.
NEWCOMERS = (Person("Emily", 128, 63, None), Person("Frank", 155, 68, None))

SHIFT = np.array([135.0, 66.0])  # lb, in

#: The mean loss of a network that answers one half to everybody, (1 - 1/2)².
UNDECIDED = 0.25


def person_named(name: str) -> Person:
    """Return one of `PEOPLE` by name, in upper or lower case. Raises StopIteration if unknown."""
    return next(person for person in PEOPLE if person.name.lower() == name.lower())


def raw(people: tuple[Person, ...]) -> np.ndarray:
    """Return weight (lb) and height (in) of n people, float64, shape (n, 2)."""
    return np.array([[p.weight, p.height] for p in people], dtype=np.float64)


def shifted(x: np.ndarray) -> np.ndarray:
    """Compute the network's inputs, x - `SHIFT`: x in lb and in, shape (..., 2)."""
    return np.asarray(x, dtype=np.float64) - SHIFT


def targets(people: tuple[Person, ...]) -> np.ndarray:
    """Return the targets, 1 for female, 0 for male, float64, shape (n,)."""
    return np.array([float(p.gender == "F") for p in people])


#: The four as inputs, shape (4, 2), and targets, shape (4,).
XS, YS = shifted(raw(PEOPLE)), targets(PEOPLE)


def label(probability: float) -> str:
    """Return "F" for a probability of at least one half, else "M"."""
    return "F" if probability >= 0.5 else "M"


def from_metric(weight: float, height: float) -> tuple[float, float]:
    """Convert kg and cm to lb and in."""
    return weight * POUNDS_PER_KG, height * INCHES_PER_CM
