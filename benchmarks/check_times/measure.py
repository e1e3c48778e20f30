"""Measure the calls of one checker on one model; runs in a process of its own."""

import random
import statistics
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.check_times.results import OURS, Call
from benchmarks.check_times.subjects import Subject
from benchmarks.checkers.contenders import Contender

#: The product of balls that others can compare machines by: rows, columns in common, columns, bits.
PRODUCT, BITS = (64, 256, 128), 192


def answer(pipe: Connection, later: int) -> None:
    """Receive a subject, options and a checker; send `ready`, the calls, and the calibration."""
    import jax

    import handgrad  # noqa: F401 (loaded before the first call, as in a caller's program)

    warnings.simplefilter("ignore")
    with jax.enable_x64(True):
        jax.numpy.zeros(2).block_until_ready()
        subject, options, contender = pipe.recv()
        pipe.send("ready")
        answers = calls(subject, options, contender)
        for _ in range(1 + later):
            pipe.send(next(answers))
    pipe.send(calibration())


def calls(subject: Subject, options: Mapping[str, Any], contender: Contender) -> Iterator[Call]:
    """Yield call after call. Ours are about other parameters each, and so share what is common."""
    import numpy as np

    from benchmarks.checkers.question import Question
    from handgrad import check_gradient

    model = subject.build()
    params, *inputs = model.draw(np.random.default_rng(0))
    if contender.name != OURS:
        question = Question(model.function, model.by_hand, params, tuple(inputs))
        while True:
            given, wall, processor = _timed(lambda: contender.ask(question))
            yield Call(wall, processor, given.verdict)
    for seed in count():
        params, *_ = model.draw(np.random.default_rng(seed))
        report, wall, processor = _timed(
            lambda at=params: check_gradient(model.by_hand, model.function, at, *inputs, **options)
        )
        first = report.trial.outcomes[0].ruling
        judged = int(first.reference.known.sum()) if first else 0
        yield Call(wall, processor, report.verdict, report.points, judged)


def _timed(call: Callable[[], Any]) -> tuple[Any, float, float]:
    """Return what a call returns, its seconds, and those of the processors."""
    began, used = time.perf_counter(), time.process_time()
    found = call()
    return found, time.perf_counter() - began, time.process_time() - used


def calibration() -> float:
    """Return the seconds of a product of matrices of balls, the median of five."""
    import flint

    rng, (rows, common, columns) = random.Random(0), PRODUCT

    def drawn(n: int, m: int) -> Any:
        each = (flint.arb(rng.getrandbits(BITS)) / 2**BITS for _ in range(n * m))
        return flint.arb_mat(n, m, [*each])

    before = flint.ctx.prec
    try:
        flint.ctx.prec = BITS
        a, b = drawn(rows, common), drawn(common, columns)
        return statistics.median(_timed(lambda: a * b)[1] for _ in range(5))
    finally:
        flint.ctx.prec = before
