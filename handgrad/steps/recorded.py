"""Record the steps of a gradient while it runs: calls of `NAME_forward` and `NAME_backward`.

Nothing is patched: a profile function sees every call and return while the gradient is called once
more. A forward call is paired with the backward call that gets its cache.
"""

import gc
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType, FrameType, FunctionType
from typing import Any

import jax

from handgrad.clock import OutOfTimeError, check_time
from handgrad.data.attempts import best_effort, raise_internal
from handgrad.data.findings import NotJudged
from handgrad.data.frames import is_own, near
from handgrad.data.point import Point, copied
from handgrad.judging.case import Case
from handgrad.judging.judgement import Judgement
from handgrad.judging.options import Options
from handgrad.judging.outcome import Trial
from handgrad.steps.pair import Pair

#: The number of points to judge each step at, besides the one where it was called.
MORE = 2

FORWARD, BACKWARD = "_forward", "_backward"


@dataclass(eq=False)
class Call:
    """One recorded call of a function."""

    code: CodeType
    args: tuple[Any, ...]  #: copies of the arguments, made before the call
    given: tuple[Any, ...]  #: the arguments themselves
    result: Any = None
    used: bool = False  #: whether it is in a pair
    of_steps: bool = False  #: whether it called other backward functions

    @property
    def base(self) -> str:
        """The name without `_forward` or `_backward`."""
        return self.code.co_name.removesuffix(FORWARD).removesuffix(BACKWARD)

    @property
    def name(self) -> str:
        """The name, with file and line of the function."""
        where = f"{near(self.code.co_filename)}, line {self.code.co_firstlineno}"
        return f"{self.code.co_name} ({where})"


def pairs(gradient: Callable[..., Any], given: Point) -> list[Pair | NotJudged]:
    """Call a gradient once, and return its pairs in the order of its backward pass.

    In place of a backward call without a forward call, why it is not judged. The gradient itself,
    backward functions made of steps, and those of a library are left out.
    """
    calls = _calls(gradient, given)
    forwards = [call for call in calls if call.code.co_name.endswith(FORWARD)]
    backwards = [call for call in calls if call.code.co_name.endswith(BACKWARD)]
    found = ((call, _pair(call, forwards)) for call in backwards)
    own_code = getattr(gradient, "__code__", None)
    return [
        pair or _alone(call)
        for call, pair in found
        if pair or not (call.of_steps or call.code is own_code or not is_own(call.code.co_filename))
    ]


def _calls(gradient: Callable[..., Any], given: Point) -> list[Call]:
    seen: list[Call] = []
    running: dict[FrameType, Call] = {}

    def profile(frame: FrameType, event: str, result: Any) -> None:
        name = frame.f_code.co_name
        if event == "call" and name.endswith((FORWARD, BACKWARD)):
            args = tuple(_arguments(frame))
            if name.endswith(BACKWARD):
                for outer in running.values():
                    outer.of_steps = True
            running[frame] = Call(frame.f_code, copied(args), args)
        elif event == "return" and frame in running:
            call = running.pop(frame)
            call.result = result
            seen.append(call)

    before = sys.getprofile()
    with best_effort():  # not all code runs without `jit`, or under a profile function
        try:
            with jax.disable_jit():
                sys.setprofile(profile)
                given.call(gradient)
        finally:
            sys.setprofile(before)
        return seen
    return []


def _arguments(frame: FrameType) -> Iterator[Any]:
    names = frame.f_code.co_varnames[: frame.f_code.co_argcount + frame.f_code.co_kwonlyargcount]
    return (frame.f_locals[name] for name in names)


def _pair(call: Call, forwards: list[Call]) -> Pair | None:
    """Pair a backward call with the forward call whose cache it gets; the last, if several."""
    for forward in reversed(forwards):
        is_pair = isinstance(forward.result, tuple) and len(forward.result) == 2
        if forward.base != call.base or forward.used or not is_pair:
            continue
        given = [arg is forward.result[1] for arg in call.given]
        if given not in ([False, True], [True]):
            continue
        there, back = _function(forward.code), _function(call.code)
        if there is None or back is None:
            return None
        forward.used = True
        # It returns cotangents of so many inputs, from the first on.
        count = len(call.result) if isinstance(call.result, tuple | list) else 1
        return Pair(
            call.name,
            there,
            back,
            inputs=forward.args[:count],
            settings=forward.args[count:],
            cotangent=call.args[0] if len(given) > 1 else 1.0,
            cache_alone=len(given) == 1,
        )
    return None


def _alone(call: Call) -> NotJudged:
    there = f"{call.base}{FORWARD}(...) -> (output, cache)"
    back = f"{call.code.co_name}(cotangent, cache) with that cache"
    return NotJudged(call.name, f"it does not have the form {there}, {back}")


def _function(code: CodeType) -> FunctionType | None:
    """Return the function of a code object; the first one, if a closure was made several times."""
    return next((f for f in gc.get_referrers(code) if isinstance(f, FunctionType)), None)


def steps(trial: Trial) -> tuple[list[tuple[Pair, Judgement]], tuple[NotJudged, ...]]:
    """Judge the steps of a wrong gradient, each at its own arguments at the deciding point.

    Returns:
        The steps in the order of the forward pass, each with how its backward pass was judged, and
        those that could not be judged; both empty if the gradient is not made of such steps.
    """
    case, given = trial.case, trial.outcomes[trial.deciding].given
    judged, left = [], []
    for pair in pairs(case.gradient, given):
        judgement = pair if isinstance(pair, NotJudged) else _judged_in_time(pair, case)
        if isinstance(judgement, NotJudged):
            left.append(judgement)
        else:
            judged.append((pair, judgement))
    return judged[::-1], tuple(dict.fromkeys(left))


def _judged_in_time(pair: Pair, case: Case) -> Judgement | NotJudged:
    try:
        judgement = _judged(pair, case)
        check_time()  # of one for which it was too short nothing is known
    except OutOfTimeError:
        return NotJudged(pair.name, f"the time was up; {case.wording.more_seconds}")
    return judgement


def _judged(pair: Pair, case: Case) -> Judgement | NotJudged:
    try:
        # A step returns cotangents alone, and the referee is chosen for it.
        options = Options(**case.handed_on(has_value=False, referee="auto"))
        judgement = pair.judged(MORE, options)
    except Exception as error:  # the caller's functions may raise anything at other points
        raise_internal(error)
        message = str(error).strip().split("\n")[0]
        raised = type(error).__name__
        return NotJudged(pair.name, f"{raised}: {message}" if message else f"it raised {raised}")
    trial = judgement.trial
    if judgement.verdict == "disagree" and trial.outcomes[trial.deciding].ruling is None:
        what = judgement.observed[0]
        whose = f"{what.leaf}: " if what.leaf else ""
        reason = f"its answers are not those of its first inputs ({whose}{what.detail})"
        return NotJudged(pair.name, reason)
    return judgement
