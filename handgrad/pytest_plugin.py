"""How a `GradientMismatch` reads when a test fails: the test's own line, and the report under it.

pytest by itself would show handgrad's frames, the whole test, and the report behind an `E` on each
line. With --full-trace it still does. Loading this module loads no other of ours, and asks for none
while tests pass.
"""

import sys
from collections.abc import Generator
from typing import Any

import pytest

#: Of what hypothesis says of its example, lines to show.
MOST_NOTES = 8

#: The module of a frame that hypothesis passes off as the test's.
IMPERSONATED = "hypothesis_temporary_module_"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, Any]:
    """Replace how the failure is shown, if it is a `GradientMismatch` or nothing but such."""
    report = yield
    if call.excinfo is not None and not item.config.getoption("fulltrace", False):
        mismatches = _mismatches(call.excinfo.value)
        if mismatches:
            report.longrepr = _shown(item, call.excinfo, mismatches)
    return report


def _mismatches(error: BaseException) -> list[BaseException]:
    """The error itself, or the members of a group; none if any of them is another error."""
    # Only handgrad.check raises it: where that was not imported, nothing has to be.
    check = sys.modules.get("handgrad.check")
    if check is None:
        return []
    if isinstance(error, check.GradientMismatch):
        return [error]
    if isinstance(error, BaseExceptionGroup):
        each = [_mismatches(member) for member in error.exceptions]
        return [found for some in each for found in some] if all(each) else []
    return []


def _shown(
    item: pytest.Item, excinfo: pytest.ExceptionInfo[BaseException], errors: list[BaseException]
) -> Any:
    # The native form is one piece of text, which xdist and subtests send on as it is.
    shown: Any = excinfo.getrepr(style="native")
    first = _own_frames(item, errors[0])
    if shown.reprcrash is not None and first:
        shown.reprcrash.path, shown.reprcrash.lineno = first[-1].filename, first[-1].lineno
        shown.reprcrash.message = f"GradientMismatch: {str(errors[0]).partition(chr(10))[0]}"
    (entry,) = shown.reprtraceback.reprentries
    texts = ["\n".join(_lines(item, error)) for error in errors]
    # --tb=line: where and the headline, which pytest takes from reprcrash.
    brief = item.config.getoption("tbstyle", "auto") == "line"
    entry.lines = [] if brief else ["\n\n".join(texts) + "\n"]
    return shown


def _lines(item: pytest.Item, error: BaseException) -> list[str]:
    """The lines of the test that led to the report, the report, and what hypothesis adds."""
    from handgrad.frames import near

    lines = []
    for frame in _own_frames(item, error):
        lines += [f"{near(frame.filename)}:{frame.lineno}: in {frame.name}", f"    {frame.line}"]
    notes = "\n".join(getattr(error, "__notes__", [])).splitlines()
    if notes[MOST_NOTES:]:
        notes = [*notes[:MOST_NOTES], "... (--full-trace shows more)"]
    return [*lines, "", str(error), *([""] if notes else []), *notes]


def _own_frames(item: pytest.Item, error: BaseException) -> list[Any]:
    """From the test down to the call, without frames of libraries."""
    from handgrad.frames import frames_of, is_handgrads, is_own

    frames = [
        place
        for frame, place in frames_of(error.__traceback__)
        if not str(frame.f_globals.get("__name__")).startswith(IMPERSONATED)
        and not is_handgrads(place.filename)
    ]
    # What leads to the test: conftest files, plugins.
    files = [place.filename for place in frames]
    start = files.index(str(item.path)) if str(item.path) in files else 0
    own = [place for place in frames[start:] if is_own(place.filename, [item.path])]
    return own or frames[-1:]
