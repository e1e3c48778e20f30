"""Measure every checker on every model in order, and store the times as they come."""

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.check_times.measure import answer
from benchmarks.check_times.results import OURS, Results, Row
from benchmarks.check_times.subjects import EQUAL, Subject
from benchmarks.checkers.contenders import Contender
from benchmarks.checkers.worker import MEMORY, START
from benchmarks.process import Process, StoppedError

#: Seconds after which a call is stopped.
LIMIT = 120.0

#: Parameters up to which a checker is asked that evaluates the loss for each of them; beyond, its
#: ten calls would take minutes and more.
LARGEST = {"scipy.optimize.check_grad": 5_000, "torch.autograd.gradcheck": 5_000}

#: Called before a row with None, and after it with what was measured.
OnRow = Callable[[Subject, Contender, Row | None], None]


def run(
    results: Results,
    contenders: Sequence[Contender],
    subjects: Sequence[Subject],
    out: Path | None,
    on_row: OnRow = lambda *_: None,
) -> None:
    """Complete the results, one process after the other, so that none shares the machine.

    Raises:
        WorkerError: a checker raised an exception.
        InputError: the file cannot be written.
    """
    if out:
        results.expect_writable(out)
    for subject, contender in left(results, contenders, subjects):
        on_row(subject, contender, None)
        row = measured(results, subject, contender)
        results.rows.append(row)
        if out:
            results.save(out)
        on_row(subject, contender, row)


def left(
    results: Results, contenders: Sequence[Contender], subjects: Sequence[Subject]
) -> list[tuple[Subject, Contender]]:
    """Return what is still to be measured."""
    return [
        (subject, contender)
        for subject in subjects
        for contender in contenders
        if results.contenders[contender.name] is None
        and results.row(subject.name, contender.name) is None
        and _asked(subject, contender)
    ]


def _asked(subject: Subject, contender: Contender) -> bool:
    if contender.name == OURS:
        return True
    return subject.group != EQUAL and subject.parameters <= LARGEST.get(
        contender.name, subject.parameters
    )


def measured(results: Results, subject: Subject, contender: Contender) -> Row:
    """Measure the first calls, and in the first process the later ones."""
    row = Row(subject.name, contender.name, subject.parameters)
    if contender.name == OURS:
        row.options = _known(subject)
    for number in range(results.processes):
        later = 0 if number else results.later
        with Process(answer, later) as process:
            process.send((subject, row.options, contender))
            try:
                process.receive(START, MEMORY)
                row.first.append(process.receive(LIMIT, MEMORY))
                row.later += [process.receive(LIMIT, MEMORY) for _ in range(later)]
                row.calibration.append(process.receive(LIMIT, MEMORY))
            except StoppedError as stopped:
                row.stopped = str(stopped)
                break
    return row


def _known(subject: Subject) -> dict[str, float]:
    """Return the subject's options that `check_gradient` has."""
    from handgrad import check_gradient

    known = inspect.signature(check_gradient).parameters
    return {name: value for name, value in subject.options.items() if name in known}
