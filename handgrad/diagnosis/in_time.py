"""Diagnose a mistake in limited time, and say where that has cut the search."""

from typing import NamedTuple

from handgrad.clock import OutOfTimeError, limited, time_left
from handgrad.data.brake import braked
from handgrad.data.findings import Diagnosis
from handgrad.diagnosis import mistakes
from handgrad.diagnosis.samples import collected
from handgrad.diagnosis.stopped import stopped, wrong_leaves
from handgrad.judging.outcome import Trial

#: The part of the time in which evidence is collected; in the rest it is explained.
FOR_EVIDENCE = 1 / 2


class Diagnosed(NamedTuple):
    """The mistakes that explain a wrong gradient, and whether the search for them was cut."""

    diagnoses: tuple[Diagnosis, ...] = ()  #: empty if none does
    cut: str = ""  #: one sentence if it was


def nonlinear(trial: Trial) -> tuple[Diagnosis, ...]:
    """Return that a case is not linear in what it should be linear in, if that was seen."""
    case, ruling = trial.case, trial.outcomes[trial.deciding].ruling
    if not case.nonlinear or ruling is None:
        return ()
    says = (
        f"yours is right for the given {case.nonlinear}, and not for another: it is clipped, say, "
    )
    says += "or what is small is left out, or a constant added"
    return (Diagnosis("nonlinear", says, wrong_leaves(ruling)),)


def diagnosed(trial: Trial) -> Diagnosed:
    """Return the mistakes that explain a wrong gradient, found in the time that there is."""
    more = trial.case.wording.more_seconds
    cut = f"The search for the kind of mistake was cut when its time was up; {more}."
    try:
        if known := nonlinear(trial) or stopped(trial):
            return Diagnosed(known)
        with limited(FOR_EVIDENCE * time_left(trial.seconds)) as clock, braked(clock):
            found, late = collected(trial)
        shown = mistakes(found)
        return Diagnosed(shown, cut if late or found.cut else "")
    except OutOfTimeError:
        return Diagnosed((), cut)
