"""Run every checker on every case in order, and store the answers as they come."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.checkers.cases import Case
from benchmarks.checkers.contenders import Contender
from benchmarks.checkers.results import Check, Results
from benchmarks.checkers.worker import Reply, Worker

#: Characters of a message that are stored; the beginning names the kind of problem.
KEPT = 240

#: Seconds between two saves of the file, which grows to half a megabyte.
BETWEEN_SAVES = 2.0

#: Called before a check with None, and after it with its answer.
OnCheck = Callable[[Contender, Case, Check | None], None]


def run(
    results: Results,
    contenders: Sequence[Contender],
    cases: Sequence[Case],
    out: Path | None,
    on_check: OnCheck = lambda *_: None,
) -> None:
    """Complete the results: every available checker, every case not yet answered.

    Checks run one after the other, so that none has to share the machine. Answers are stored even
    when the run is interrupted.

    Raises:
        WorkerError: a case cannot be built.
        InputError: the file cannot be written.
    """
    if out:
        results.expect_writable(out)
    saved = time.monotonic()
    try:
        for contender in contenders:
            if results.contenders[contender.name] is not None:
                continue
            todo = left(results, [contender], cases)
            with Worker(contender, results.limit) as worker:
                for _, case in todo:
                    on_check(contender, case, None)
                    results.checks.append(check_of(contender, case, worker.ask(case)))
                    on_check(contender, case, results.checks[-1])
                    if out and time.monotonic() - saved > BETWEEN_SAVES:
                        results.save(out)
                        saved = time.monotonic()
    finally:
        if out and results.checks:
            results.save(out)


def left(
    results: Results, contenders: Sequence[Contender], cases: Sequence[Case]
) -> list[tuple[Contender, Case]]:
    """Return the checks still to be done."""
    done = results.done()
    pairs = [(contender, case) for contender in contenders for case in cases]
    return [(who, case) for who, case in pairs if (who.name, case.id) not in done]


def check_of(contender: Contender, case: Case, reply: Reply) -> Check:
    """Combine an answer with its case for storage."""
    answer = reply.answer
    return Check(
        contender=contender.name,
        case=case.id,
        part=case.part,
        subject=case.subject,
        what=case.what,
        verdict=answer.verdict,
        reason=answer.reason,
        leaves=list(answer.leaves),
        kinds=list(answer.kinds),
        wrong_leaves=list(reply.wrong_leaves),
        parameters=reply.leaves,
        seconds=round(answer.seconds, 4),
        message=answer.message[:KEPT],
        format=case.format,
        lines=list(answer.lines),
        cpu=None if answer.cpu is None else round(answer.cpu, 4),
    )
