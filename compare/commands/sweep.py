"""`compare sweep`: compare both gradients at very many random cases."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import click

from compare.commands.sweeps import MOST_CASES, settings, sweep_options, use_all_cores
from handgrad.commands.options import JSON, option, whole

if TYPE_CHECKING:
    from compare.interrupts import StopRequest
    from compare.sweep.replay import Case
    from compare.sweep.run import SweepResult
    from compare.sweep.settings import Settings
    from compare.trace import Trace
    from handgrad import GradientReport


#: Most cases of the floor's loop: some seconds.
_FLOOR_CASES = 100_000_000

#: Seconds to wait for the other processes.
PATIENCE_SECONDS = 60


class Address(click.ParamType):
    """The address at which processes meet: HOST:PORT."""

    name = "host:port"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        """Return the text after checking it."""
        host, colon, port = str(value).rpartition(":")
        if not (host and colon and port.isascii() and port.isdigit() and 0 < int(port) < 2**16):
            self.fail(f"{value!r}; expected HOST:PORT, such as localhost:1234.", param, ctx)
        return str(value)


@click.command(short_help="Compare both gradients at very many random cases.")
@option("--cases", type=whole(1, MOST_CASES), default="1e7", help="How many to draw.")
@option(
    "--case",
    "number",
    type=whole(0, MOST_CASES),
    help="Draw the one of this number alone, and look at it closely.",
)
@sweep_options
@option(
    "--coordinator", type=Address(), help="Of several processes: where they meet, at process 0."
)
@option("--num-processes", type=whole(1, 10**5), help="How many processes share the cases.")
@option(
    "--process-id",
    type=whole(0, 10**5),
    help="Which of them this one is, from 0 on; 0 prints the report.",
)
@option(
    "--floor",
    "with_floor",
    is_flag=True,
    help="Time as well a loop that draws the same cases and evaluates the loss, no more.",
)
@JSON
@click.pass_context
def sweep(
    context: click.Context,
    cases: int,
    number: int | None,
    coordinator: str | None,
    num_processes: int | None,
    process_id: int | None,
    with_floor: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Draw weights, inputs and targets at random, and compare both gradients element by element.

    Case i depends on the seed and on i alone, whoever draws it, on however many devices and in
    however many processes. What two right gradients may differ by is derived at every case; the
    most suspicious cases go to handgrad's judge. Ctrl-C ends it with a report of what was covered.
    Ends with 0 if all agree, else with 1.

    With --case and the options of a sweep, handgrad's judge rules on the gradient by hand, or on
    the planted mistake, at that case; a trace has every link of the right derivation with three
    witnesses, in float64.
    """
    from compare import interrupts

    if number is not None:
        for name in ("cases", "coordinator", "num_processes", "process_id", "with_floor"):
            if context.get_parameter_source(name) == click.core.ParameterSource.COMMANDLINE:
                option = name.removeprefix("with_").replace("_", "-")
                raise click.UsageError(f"--{option} beside --case; expected one of them.")
        return _look_at(settings(options), number, as_json)
    several = _several(coordinator, num_processes, process_id)
    with interrupts.stop_request() as stop:
        use_all_cores()
        wanted = settings(options)
        with _own_output() if several else nullcontext():
            _meet(coordinator, num_processes, process_id)
            stop.listen()  # after JAX's runtime has started, which installs a handler of its own
            swept = _swept(wanted, cases, stop)
            if with_floor and not stop.requested():
                swept = _beside_floor(swept)
        suspects = _ruled(wanted, swept)
    verdict = swept.verdict([suspect["ruling"] for suspect in suspects])
    if not process_id:  # process 0 prints the report; all end alike
        _report(swept, suspects, verdict, as_json)
    code = _code(verdict, swept, stop)
    if several and not swept.is_whole:
        sys.stdout.flush()
        # Exit at once: JAX's shutdown would wait for a process that may be gone.
        os._exit(code)
    return code


@contextmanager
def _own_output() -> Iterator[None]:
    """Keep standard output for the report: messages of JAX's C++ libraries go to standard error."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def _several(coordinator: str | None, num_processes: int | None, process_id: int | None) -> bool:
    given = [value is not None for value in (coordinator, num_processes, process_id)]
    if any(given) and not all(given):
        raise click.UsageError(
            "--coordinator, --num-processes and --process-id; expected all three, or none."
        )
    if num_processes is not None and process_id is not None and process_id >= num_processes:
        raise click.UsageError(
            f"--process-id {process_id}; expected a number from 0 to {num_processes - 1}."
        )
    return all(given)


def _meet(coordinator: str | None, num_processes: int | None, process_id: int | None) -> None:
    if coordinator is None:
        return
    import jax

    from compare.terminal import waiting

    with waiting(f"Waiting for the other processes at {coordinator}"):
        problem = _in_another_thread(
            lambda: jax.distributed.initialize(
                coordinator, num_processes, process_id, initialization_timeout=PATIENCE_SECONDS
            )
        )
    if problem:
        reason = str(problem).splitlines()[0]
        raise click.UsageError(
            f"--coordinator {coordinator}: {reason}; expected {num_processes} processes, and "
            f"HOST:PORT of process 0, within {PATIENCE_SECONDS} s."
        ) from problem


def _in_another_thread(work: Callable[[], None]) -> Exception | None:
    """Run `work`, return its exception if any; it may block in C++, where Ctrl-C has no effect."""
    problems: list[Exception] = []

    def run() -> None:
        try:
            work()
        except (RuntimeError, ValueError) as error:
            problems.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.1)
    return problems[0] if problems else None


def _swept(wanted: "Settings", cases: int, stop: "StopRequest") -> "SweepResult":
    from compare.sweep.run import sweep
    from compare.terminal import progress

    with progress(cases, "cases", transient=False) as show:
        began = time.perf_counter()

        def on_progress(done: int) -> None:
            show(done, lambda: f"{done / (time.perf_counter() - began) / 1e6:.1f} M/s")

        return sweep(wanted, cases, on_progress, stop.requested)


def _beside_floor(swept: "SweepResult") -> "SweepResult":
    from dataclasses import replace

    from compare.sweep.run import floor
    from compare.terminal import waiting

    with waiting("The loop that only draws and evaluates the loss"):
        return replace(swept, floor=floor(swept.settings, min(swept.cases, _FLOOR_CASES)))


def _report(
    swept: "SweepResult", suspects: list[dict[str, Any]], verdict: str, as_json: bool
) -> None:
    if as_json:
        from compare.commands.output import print_object

        print_object(swept.as_object(suspects) | {"verdict": verdict})
        return
    from compare.sweep.terminal import show_swept

    show_swept(swept, suspects, verdict)


def _ruled(wanted: "Settings", swept: "SweepResult") -> list[dict[str, Any]]:
    from compare.sweep.replay import case
    from compare.terminal import waiting

    suspects = []
    with waiting("The judge looks at the most suspicious cases"):
        for number, ratio in swept.suspects:
            found = case(wanted, number)
            report = found.ruling()
            suspects.append(
                {
                    "case": number,
                    "params": found.named(),
                    "inputs": found.inputs(),
                    "bound_ratio": ratio,
                    "ruling": report.verdict,
                    "says": report.headline,
                }
            )
    return suspects


def _code(verdict: str, swept: "SweepResult", stop: "StopRequest") -> int:
    """Return the exit code; 130 if another process was interrupted."""
    stopped = 0 if swept.is_whole else 128 + signal.SIGINT
    return int(verdict != "agree") or stop.code or stopped


def _look_at(wanted: "Settings", number: int, as_json: bool) -> int:
    """Rebuild one case, print the judge's report and a trace, and return the exit code."""
    from compare.commands.output import print_object
    from compare.sweep.replay import case
    from compare.terminal import waiting

    with waiting("The case again, before the judge and link by link"):
        found = case(wanted, number)
        report, trace = found.ruling(), found.trace()
    if as_json:
        print_object(
            {"case": number, "params": found.named(), "inputs": found.inputs()}
            | {"ruling": report.to_dict(), "trace": trace.as_object()}
        )
    else:
        _show_case(found, report, trace)
    return int(not report.passes)


def _show_case(found: "Case", report: "GradientReport", trace: "Trace") -> None:
    from compare.terminal import console, number, show_verdict, table
    from compare.traced.terminal import show_legend, show_start, show_step

    out = console()
    rows = table("", "")
    for name, value in found.named().items():
        rows.add_row(name, number(value, 17))
    for name, values in found.inputs().items():
        rows.add_row(name, f" {values}")
    out.print(rows)
    out.print(f"\nhandgrad's judge:\n\n{report}\n")
    show_start(out, trace)
    for step in trace.steps:
        show_step(out, trace, step)
    show_legend(out, [trace.quantities[name] for step in trace.steps for name in step.names])
    out.print()
    show_verdict(out, report.verdict, report.headline.partition(": ")[2] or "the judge's ruling")
