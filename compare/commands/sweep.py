"""`compare sweep`: compare both gradients at very many random cases."""

import math
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import click
import jax

from compare.sweep import ARTICLE, Distribution, Settings, looked_at, trace
from compare.sweep import sweep as compared
from compare.terminal import console, print_object, progress, show_verdict, table, ulps, waiting
from compare.terminal import number as shown
from compare.traced.kinds import KINDS, network_of
from compare.traced.terminal import show_legend, show_start, show_step

#: Cases that the judge rules on: these in any case, and more as long as it acquits them.
FIRST, MOST = 3, 30

#: Characters of the longest bar of the histogram.
_LONGEST = 40


def sweep(cases: int, distributed: bool, as_json: bool, **options: Any) -> int:
    """Sweep, and print what was found, the most suspicious cases before the judge."""
    stopped: list[int] = []

    def on_signal(number: int, frame: Any) -> None:  # noqa: ARG001 (the signal module's signature)
        """Stop between two steps; a second Ctrl-C ends as usual."""
        if [number] == stopped[-1:] == [signal.SIGINT]:
            raise KeyboardInterrupt
        stopped.append(number)

    before = {of: signal.getsignal(of) for of in (signal.SIGINT, signal.SIGTERM)}
    try:
        wanted = _settings(**options)
        with _cluster() if distributed else nullcontext():
            for number in before:
                # After JAX's runtime has started, which installs a handler of its own.
                signal.signal(number, on_signal)
            with progress(cases, "cases", transient=False) as show:
                began = time.perf_counter()

                def on_step(done: int) -> bool:
                    show(done, lambda: f"{done / (time.perf_counter() - began) / 1e6:.1f} M/s")
                    return bool(stopped)

                found = compared(wanted, cases, on_step)
        with waiting("The judge looks at the most suspicious cases"):
            suspects, verdict = found.judge(FIRST, MOST)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if jax.process_index() == 0:  # it prints the report; all end alike
        about = found.as_object() | {"suspects": suspects, "verdict": verdict}
        print_object(about) if as_json else _report(found.settings, about)
    # What shells expect of a process stopped by a signal; also if another process was interrupted.
    stopped += [signal.SIGINT] * (cases > found.cases and not stopped)
    code = int(verdict != "agree") or (128 + stopped[-1] if stopped else 0)
    if found.is_broken:
        sys.stdout.flush()
        # Exit at once: JAX's shutdown would wait for the process that is gone.
        os._exit(code)
    return code


def _settings(
    sizes: tuple[int, ...],
    examples: int | None,
    form: str | None,
    weights: str,
    inputs: str,
    **others: Any,
) -> Settings:
    """Return the settings of the sweep that the options describe.

    Raises:
        InputError: they do not go together.
    """
    network = network_of(sizes, {name: others.pop(name) for name in KINDS})
    swept = Settings(
        network=network,
        examples=examples or (1 if network == ARTICLE else 2),
        form=form or "stable",
        weights=Distribution.parse("--weights", weights),
        inputs=Distribution.parse("--inputs", inputs),
        **others,
    )
    if form is not None and not swept.is_article:
        raise click.UsageError(
            "--sigmoid-derivative beside another network than the article's; expected one without "
            "the other."
        )
    return swept


@contextmanager
def _cluster() -> Iterator[None]:
    """Meet the other processes, and keep standard output for the report.

    Messages of JAX's C++ libraries go to standard error.
    """
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Python's handler waits for C++ to return
    try:
        try:
            with waiting("Waiting for the other processes"):
                jax.distributed.initialize()
        except (RuntimeError, ValueError) as error:
            raise click.UsageError(
                f"--distributed: {str(error).splitlines()[0]} Expected processes of Slurm, Open "
                "MPI or Kubernetes."
            ) from error
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def look_at(number: int, as_json: bool, **options: Any) -> int:
    """Draw one case again, print the judge's report and a trace; 1 if the judge finds it wrong."""
    wanted = _settings(**options)
    with waiting("The case again, before the judge and link by link"):
        at, report, about = looked_at(wanted, number)
        traced = trace(wanted, at, number)
    if as_json:
        print_object(about | {"ruling": report.to_dict(), "trace": traced.as_object()})
        return int(not report.passes)
    out, rows = console(), table("", "")
    for name, value in about["params"].items():
        rows.add_row(name, shown(value, 17))
    for name, values in about["inputs"].items():
        rows.add_row(name, f" {values}")
    out.print(rows)
    out.print(f"\nhandgrad's judge:\n\n{report}\n")
    show_start(out, traced)
    for step in traced.steps:
        show_step(out, traced, step)
    show_legend(out, [traced.quantities[name] for step in traced.steps for name in step.names])
    out.print()
    show_verdict(out, report.verdict, report.headline.partition(": ")[2] or "the judge's ruling")
    return int(not report.passes)


def _report(settings: Settings, about: dict[str, Any]) -> None:
    """Print the whole result, from the settings to the verdict."""
    out, cases = console(), about["cases"]
    planted = f", with {settings.plant} planted" if settings.plant else ""
    out.print(
        f"Network {about['network']}, {settings.dtype}{planted}: weights {settings.weights}, "
        f"inputs {settings.inputs}, seed {settings.seed}; {_count(about['devices'], 'device')}, "
        f"{_count(about['processes'], 'process', 'es')}."
    )
    rows, bins = table("ulps", "elements", ""), about["histogram"]
    most = max(1, *(of["elements"] for of in bins))
    last = max((k for k, of in enumerate(bins) if of["elements"]), default=0)
    for k, of in enumerate(bins[: last + 1]):
        upper = "and more" if of["below"] == math.inf else f"to {of['below']:.3g}"
        bar = "█" * round(_LONGEST * of["elements"] / most)
        rows.add_row(f"{of['from']:.3g} {upper}" if k else "0", f"{of['elements']:>14,}", bar)
    out.print("\nHow far apart, in ulps of the larger of the two:\n")
    out.print(rows)
    out.print()
    rows = table("parameter", "most ulps apart", "elements judged")
    for name, distance in about["max_ulps"].items():
        rows.add_row(name, ulps(distance), _share(about["judged"][name], cases))
    out.print(rows)
    out.print("\nThe most suspicious cases, before handgrad's judge:\n")
    for of in about["suspects"]:
        ratio = f"{of['bound_ratio']:.3g} times what rounding explains"
        out.print(f"case {of['case']}, {ratio}: {of['says']}")
    rate = cases / max(about["seconds"], 1e-9) / 1e6
    requested = about["requested"]
    stopped = f" Stopped before {requested:,}." * (cases < requested)
    out.print(
        f"\n{cases:,} cases in {about['seconds']:.3g} s, {rate:.3g} million a second.{stopped}"
    )
    show_verdict(out, about["verdict"], _because(about))


def _count(count: int, what: str, plural: str = "s") -> str:
    return f"{count} {what}{'' if count == 1 else plural}"


def _share(count: int, of: int) -> str:
    """Format a share: never 0 % of something, nor 100 % of less than all."""
    share = 100 * count / max(of, 1)
    if 0 < share < 0.01:
        return "below 0.01 %"
    return f"{min(share, 99.99) if count < of else share:.4g} %"


def _because(about: dict[str, Any]) -> str:
    apart, overflowed, judged = (about[of] for of in ("disagreements", "overflowed", "judged"))
    cases = about["cases"]
    says = f"{apart or 'none':{',' if apart else ''}} of {cases:,} cases "
    says += f"{'is' if apart in (0, 1) else 'are'} further apart than rounding explains"
    right = [of["bound_ratio"] for of in about["suspects"] if of["ruling"] == "agree"]
    if acquitted := sum(ratio > 1 for ratio in right):
        says += f"; in {acquitted:,} of them, the judge finds the gradient by hand right"
    if about["verdict"] == "disagree" and not apart:
        says += ", but the judge finds the gradient by hand wrong"
    if overflowed:
        known = f", of which the judge finds {right.count(1):,} right" if 1 in right else ""
        says += f"; {overflowed:,} have no bound, and prove nothing{known}"
    silent = [name for name, count in judged.items() if not count]
    least = min(judged, key=judged.__getitem__)
    if silent:
        more = f" and {len(silent) - 9} more" if len(silent) > 9 else ""
        says += (
            f"; of {', '.join(silent[:9])}{more} no element is larger than what rounding explains, "
            "and nothing is known"
        )
    elif judged[least] < cases / 2:
        says += (
            f"; of {least} only {_share(judged[least], cases)} of the elements are larger than that"
        )
    return says
