"""Ask checkers about cases, each checker in a process of its own, and store the answers.

The process can be stopped by time or memory. It answers case after case, but for those that are
timed from the first call in a process on; after it was stopped, the next case starts a new one.
"""

import resource
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from benchmarks.checkers.cases import NO_ANSWER, RIGHT, Case, Question, simple
from benchmarks.checkers.contenders import Contender, stopped
from benchmarks.checkers.results import Answer, Check, Results
from benchmarks.files import expect_writable
from benchmarks.process import StoppedError, Worker, WorkerError
from handgrad.clock import PATIENCE

#: Bytes that a checker may use. The largest case, 10⁶ parameters, takes handgrad 1.3 GB.
MEMORY = 6 * 2**30

#: Seconds within which a checker must have been loaded; ours take three to ten.
START = 180.0

#: Characters of a message that are stored; the beginning names the kind of problem.
KEPT = 240

#: Seconds between two saves of the file, which grows to half a megabyte.
BETWEEN_SAVES = 2.0

#: A checker, and what it is asked about.
Asked = tuple[Contender, Case]

#: Called before a case with None, and after each of its calls with the answer.
OnCheck = Callable[[Contender, Case, Check | None], None]


def run(results: Results, todo: Sequence[Asked], out: Path | None, on_check: OnCheck) -> None:
    """Complete the results by what is left to be asked.

    Checks run one after the other, so that none has to share the machine. Answers are stored even
    when the run is interrupted.

    Raises:
        WorkerError: a case cannot be built.
        InputError: the file cannot be written.
    """

    def announced() -> Iterator[Asked]:
        for contender, case in todo:
            on_check(contender, case, None)
            yield contender, case

    if out:
        expect_writable(out)
    saved = time.monotonic()
    try:
        for (contender, case), answers in asked(announced(), results.limit):
            about = {"contender": contender.name, "case": case.id, "part": case.part}
            about |= {"subject": case.subject, "what": case.what, "format": case.format}
            checks = [Check(**about, **asdict(answer)) for answer in answers]
            results.checks += checks
            for check in checks:
                on_check(contender, case, check)
            if out and time.monotonic() - saved > BETWEEN_SAVES:
                results.save(out)
                saved = time.monotonic()
    finally:
        if out and results.checks:
            results.save(out)


def left(results: Results, contenders: Sequence[Contender], cases: Sequence[Case]) -> list[Asked]:
    """Return the checkers that are there, each with every case that it still has to answer.

    Where it takes long, others than ours are not asked.
    """
    done = {(check.contender, check.case) for check in results.checks}
    there = [contender for contender in contenders if results.contenders[contender.name] is None]
    todo = ((one, case) for one in there for case in cases if (one.name, case.id) not in done)
    return [
        (one, case)
        for one, case in todo
        if one.keeps or not case.fresh or case.build().elements <= one.largest
    ]


def asked(
    todo: Iterable[Asked], limit: float, memory: int = MEMORY
) -> Iterator[tuple[Asked, list[Answer]]]:
    """Yield what is asked, and the answer to each call or that a limit ended it.

    Raises:
        WorkerError: a case cannot be built, or the checker cannot be loaded.
    """
    worker, name = None, ""
    try:
        for contender, case in todo:
            if worker is None or case.fresh or contender.name != name:
                if worker:
                    worker.stop()
                worker, name = Worker(), contender.name
                try:
                    list(worker.ask(begun, contender, case, limit=START))
                except StoppedError as stop:
                    raise WorkerError(f"does not start: {stop}") from stop
            answers = list[Answer]()
            limits = {"limit": limit, "memory": memory, "patience": PATIENCE}
            try:
                for found in worker.ask(answer, contender, case, **limits):
                    answers += found
            except StoppedError as stop:
                worker.stop()
                worker, call = None, len(answers)
                answers.append(Answer(NO_ANSWER, stop.why, call=call, seconds=stop.seconds))
            yield (contender, case), answers
    except WorkerError as error:
        raise WorkerError(f"{name}: {error}") from error
    finally:
        if worker:
            worker.stop()


def begun(contender: Contender, case: Case) -> Iterator[None]:
    """Start JAX, and have the checker answer a simple question of the kind of the first case.

    Not if the first call is timed, which costs what it costs in a caller's program.
    """
    import jax

    import handgrad  # noqa: F401 (loaded before the first call, as in a caller's program)

    warnings.simplefilter("ignore")
    with jax.enable_x64(True):
        jax.numpy.zeros(2).block_until_ready()
        if not case.fresh:
            answered(contender, simple(case.questions))
    yield from ()


def answer(contender: Contender, case: Case) -> Iterator[list[Answer]]:
    """Yield an empty list once the case is built, then a list with the answer to each call.

    The time starts when the case is built, which may take as long as checking it.
    """
    import jax

    with jax.enable_x64(True):
        question = case.build()
        yield []
        for call in range(case.calls):
            # What keeps what checks have in common is asked at other parameters.
            about = case.build(call) if call and contender.keeps else question
            yield [answered(contender, about, call)]


def answered(contender: Contender, question: Question, call: int = 0) -> Answer:
    """Return the checker's answer, with what it took, and what is known of the question."""
    began, used = time.perf_counter(), processor_seconds()
    try:
        answer = contender.ask(question) or Answer(RIGHT)
    except MemoryError:
        answer = Answer(NO_ANSWER, "memory")
    except Exception as error:  # of a checker or a derivative
        answer = stopped(question.paths, error)
    seconds, cpu = time.perf_counter() - began, processor_seconds() - used
    return replace(
        answer,
        message=answer.message[:KEPT],
        wrong_leaves=question.wrong_leaves(),
        parameters=len(question.paths),
        elements=question.elements,
        call=call,
        seconds=float(f"{seconds:.4g}"),
        cpu=float(f"{cpu:.4g}"),
    )


def processor_seconds() -> float:
    """Return the seconds of processors that this process has used, and its ended children.

    All threads count, so that it may be more than has gone by; what others do on the machine does
    not, but for what they cost in caches.
    """
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
