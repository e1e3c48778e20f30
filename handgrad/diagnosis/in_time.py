"""Diagnose a mistake, in limited time where each point takes many calls of a function."""

from typing import NamedTuple

from handgrad.clock import OutOfTimeError, limited
from handgrad.data.findings import Diagnosis
from handgrad.diagnosis import diagnose, mistakes
from handgrad.diagnosis.samples import collected, is_enough
from handgrad.diagnosis.stopped import stopped
from handgrad.judging.outcome import Trial

#: The parts of a check's `seconds` for which a function that can only be called is called to
#: collect evidence, and to try what would explain it.
FOR_EVIDENCE, FOR_KINDS = 0.5, 0.25


class Diagnosed(NamedTuple):
    """The mistakes that explain a wrong gradient, and whether the search for them was cut."""

    diagnoses: tuple[Diagnosis, ...] = ()  #: empty if none does
    cut: str = ""  #: one sentence if it was


def diagnosed(trial: Trial) -> Diagnosed:
    """Return the mistakes that explain a wrong gradient, found in the time that there is."""
    if known := stopped(trial):
        return Diagnosed(known)
    if not trial.only_called:
        return Diagnosed(diagnose(trial))
    more = trial.case.wording.more_time.partition(",")[0]
    cut = f"The search for the kind of mistake was cut when its time was up; {more}."
    with limited(FOR_EVIDENCE * trial.seconds):
        found, late = collected(trial)
    try:
        with limited(FOR_KINDS * trial.seconds):
            return Diagnosed(mistakes(found if is_enough(found) else None), cut if late else "")
    except OutOfTimeError:
        return Diagnosed((), cut)
