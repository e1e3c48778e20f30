"""The checkers that are compared on torch functions; a new one is a row of `CONTENDERS`."""

import inspect
import linecache
import re
import warnings
from pathlib import Path
from typing import Any

from benchmarks.checkers import peers
from benchmarks.checkers.contenders import Contender, answer_of
from benchmarks.checkers.functions.cases import simple
from benchmarks.checkers.functions.question import FunctionQuestion
from benchmarks.checkers.question import NO_ANSWER, RIGHT, WRONG, Answer
from models.torch_functions.gradients import cotangent_like, fresh, gradients, widened
from models.torch_functions.installed import torch

#: How often the reference's own error a kernel may be off, in the tests of attention kernels, ...
TIMES = 2.0

#: ... and the number that they add and subtract again to see what the format alone rounds.
NUDGE = 0.3

#: A sentence's reference to lines of the forward pass: a file, and their numbers.
LINES = re.compile(r"\(forward pass: ([^,)]+), lines? ([\d, ]+\d)")


def first() -> FunctionQuestion:
    """Return the first question to a checker in its process, where torch now has one thread.

    For some operations (`triu`) torch wakes a thread for each processor, even for 25 numbers. On a
    busy machine they wait for each other: `gradcheck` of attention took sixty times as long.
    """
    torch.set_num_threads(1)
    return simple()


def check_function(question: FunctionQuestion) -> Answer:
    """Run `handgrad.torch.check_function` at the given point and its eight default ones."""
    from handgrad.torch import check_function

    report = check_function(question.function, *question.arguments)
    says = " ".join(found.says for found in report.diagnoses)
    return answer_of(report, lines=named_lines(says, question.function))


def named_lines(says: str, function: Any) -> tuple[str, ...]:
    """Return the lines of a function's file that a sentence refers to."""
    file = inspect.getsourcefile(function.forward) or ""
    numbers = [
        int(number)
        for name, found in LINES.findall(says)
        if Path(name).name == Path(file).name
        for number in found.split(",")
    ]
    return tuple(linecache.getline(file, number).strip() for number in numbers)


def gradcheck(question: FunctionQuestion) -> Answer:
    """Run `torch.autograd.gradcheck`: central differences along every element."""
    check, arguments = torch.autograd.gradcheck, fresh(question.arguments)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the format is not float64
        return peers.passes(question.paths, lambda: check(question.function.apply, arguments))


def twice(question: FunctionQuestion) -> Answer:
    """Apply the rule of kernels' tests: at most twice as wrong as the reference in that format.

    The exact gradient is the reference's in float64, rounded to the format; each argument's largest
    errors are compared, with room for what the format rounds. What comes back is random. Over
    float64 there is no format in which torch could compute what is exact.
    """
    if question.format == "float64":
        return Answer(NO_ANSWER, reason="no wider format")
    at = question.arguments
    cotangent = cotangent_like(question.reference(*at))
    exact = gradients(question.reference, widened(at), cotangent)
    theirs = gradients(question.reference, at, cotangent)
    try:
        ours = gradients(question.function.apply, at, cotangent)
    except RuntimeError as error:
        return peers.stopped(question.paths, error)
    blamed, says = [], []
    for path, yours, other, wide in zip(question.paths, ours, theirs, exact, strict=True):
        true = wide.to(yours.dtype)
        rounds = largest(true + NUDGE - NUDGE - true)
        room = TIMES * largest(other - true) + 2 * rounds
        if not (error := largest(yours - true)) <= room:  # NaN, too
            blamed.append(path)
            says.append(f"{path}: {error:.3g}, at most {room:.3g}")
    return Answer(WRONG if blamed else RIGHT, leaves=tuple(blamed), message="; ".join(says))


def largest(tensor: Any) -> float:
    """Return the largest absolute value."""
    return float(tensor.abs().max())


CONTENDERS = (
    Contender("handgrad.torch.check_function", "torch", check_function, first),
    Contender("torch.autograd.gradcheck", "torch", gradcheck, first),
    Contender("twice-the-reference", "torch", twice, first),
)
