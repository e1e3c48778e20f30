"""The pytest plugin: it shows a `GradientMismatch` as the test's own line and the report below.

Without it, or with --full-trace, pytest shows handgrad's frames, the whole test, and the report
with an `E` before each line. This module imports no other of handgrad unless a test fails.
"""

import sys
from collections.abc import Generator
from typing import Any

import pytest

#: The most lines of Hypothesis's notes on its example to show.
MOST_NOTES = 8

#: The module of frames that Hypothesis makes look like the test's.
IMPERSONATED = "hypothesis_temporary_module_"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, Any]:
    """Replace the display of a failure, if it is a `GradientMismatch`."""
    report = yield
    error = call.excinfo
    if error is not None and _is_mismatch(error.value) and not item.config.getoption("fulltrace"):
        report.longrepr = _shown(item, error)
    return report


def _is_mismatch(error: BaseException) -> bool:
    # Only handgrad.check raises it, so without that import there is none.
    check = sys.modules.get("handgrad.check")
    return check is not None and isinstance(error, check.GradientMismatch)


def _shown(item: pytest.Item, excinfo: pytest.ExceptionInfo[BaseException]) -> Any:
    from handgrad.data.harmless import harmless

    # The native style is plain text, which xdist and subtests pass on unchanged.
    shown: Any = excinfo.getrepr(style="native")
    frames = _own_frames(item, excinfo.value)
    if shown.reprcrash is not None and frames:
        shown.reprcrash.path, shown.reprcrash.lineno = frames[-1].filename, frames[-1].lineno
        shown.reprcrash.message = f"GradientMismatch: {str(excinfo.value).splitlines()[0]}"
    (entry,) = shown.reprtraceback.reprentries
    # With --tb=line pytest prints only place and headline, from reprcrash.
    brief = item.config.getoption("tbstyle") == "line"
    lines = "\n".join(_lines(item, excinfo.value)) + "\n"
    entry.lines = [] if brief else [harmless(lines)]
    return shown


def _lines(item: pytest.Item, error: BaseException) -> list[str]:
    """Return the lines of the test that led to the report, the report, and Hypothesis's notes."""
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
    """Drop the lines of code that Hypothesis suspects: they are handgrad's and JAX's."""
    kept, explaining = [], False
    for note in notes:
        explaining = note.startswith("Explanation:") or (explaining and note.startswith(" "))
        if not explaining:
            kept.append(note)
    return kept


def _own_frames(item: pytest.Item, error: BaseException) -> list[Any]:
    """Return the frames from the test down to the call, without those of libraries."""
    from handgrad.data.frames import frames_of, is_handgrads, is_own

    frames = [
        place
        for frame, place in frames_of(error.__traceback__)
        if not str(frame.f_globals.get("__name__")).startswith(IMPERSONATED)
        and not is_handgrads(place.filename)
    ]
    # Frames before the test are those of conftest files and plugins.
    files = [place.filename for place in frames]
    start = files.index(str(item.path)) if str(item.path) in files else 0
    own = [place for place in frames[start:] if is_own(place.filename, [item.path])]
    return own or frames[-1:]
