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
    """Replace how the failure is shown, if it is a `GradientMismatch`."""
    report = yield
    error = call.excinfo
    if error is not None and _is_mismatch(error.value) and not item.config.getoption("fulltrace"):
        report.longrepr = _shown(item, error)
    return report


def _is_mismatch(error: BaseException) -> bool:
    # Only handgrad.check raises it: where that was not imported, nothing has to be.
    check = sys.modules.get("handgrad.check")
    return check is not None and isinstance(error, check.GradientMismatch)


def _shown(item: pytest.Item, excinfo: pytest.ExceptionInfo[BaseException]) -> Any:
    # The native form is one piece of text, which xdist and subtests send on as it is.
    shown: Any = excinfo.getrepr(style="native")
    frames = _own_frames(item, excinfo.value)
    if shown.reprcrash is not None and frames:
        shown.reprcrash.path, shown.reprcrash.lineno = frames[-1].filename, frames[-1].lineno
        shown.reprcrash.message = f"GradientMismatch: {str(excinfo.value).splitlines()[0]}"
    (entry,) = shown.reprtraceback.reprentries
    # --tb=line: where and the headline, which pytest takes from reprcrash.
    brief = item.config.getoption("tbstyle") == "line"
    entry.lines = [] if brief else ["\n".join(_lines(item, excinfo.value)) + "\n"]
    return shown


def _lines(item: pytest.Item, error: BaseException) -> list[str]:
    """The lines of the test that led to the report, the report, and what hypothesis adds."""
    from handgrad.data.frames import near

    lines = []
    for frame in _own_frames(item, error):
        lines += [f"{near(frame.filename)}:{frame.lineno}: in {frame.name}", f"    {frame.line}"]
    said: list[str] = getattr(error, "__notes__", [])
    notes = _without_explanation([line for note in said for line in note.splitlines()])
    if notes[MOST_NOTES:]:
        notes = [*notes[:MOST_NOTES], "... (--full-trace shows more)"]
    return [*lines, "", str(error), *([""] if notes else []), *notes]


def _without_explanation(notes: list[str]) -> list[str]:
    """What hypothesis says, but for the lines that it suspects: they are ours and JAX's."""
    kept, explaining = [], False
    for note in notes:
        explaining = note.startswith("Explanation:") or (explaining and note.startswith(" "))
        if not explaining:
            kept.append(note)
    return kept


def _own_frames(item: pytest.Item, error: BaseException) -> list[Any]:
    """From the test down to the call, without frames of libraries."""
    from handgrad.data.frames import frames_of, is_handgrads, is_own

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
