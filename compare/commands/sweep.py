"""`compare sweep`: compare both gradients at very many random cases."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import click

from compare.commands.options import (
    DTYPE,
    PLANT,
    SEED,
    form_option,
    kind_options,
    network_option,
    together,
)
from handgrad.commands.options import JSON, option, seed_option, whole

if TYPE_CHECKING:
    from rich.console import Console

    from compare.sweep import Settings, SweepResult

#: What 53 bits can count, and no machine will.
MOST_CASES = 10**15

#: Cases that the judge rules on: these in any case, and more as long as it acquits them.
FIRST, MOST = 3, 30

#: Characters of the longest bar of the histogram.
_LONGEST = 40

_DRAWN = "uniform:SIZE|spread:LOW:HIGH"


@click.command(short_help="Compare both gradients at very many random cases.")
@option("--cases", type=whole(1, MOST_CASES), default="1e7", help="How many to draw.")
@option(
    "--case",
    "number",
    type=whole(0, MOST_CASES),
    help="Draw the one of this number alone, and look at it closely.",
)
@together(
    network_option(default="2-2-1"),
    kind_options(),
    option(
        "--examples",
        type=whole(1, 100),
        help="How many examples the loss is the mean of.",
        otherwise="1 for the article's network, else 2",
    ),
    option("--dtype", type=DTYPE, default="float64", help="Of all numbers."),
    option(
        "--weights",
        metavar=_DRAWN,
        default="uniform:5",
        help="What weights and biases are drawn from.",
    ),
    option(
        "--inputs",
        metavar=_DRAWN,
        default="uniform:20",
        help="What inputs are drawn from; targets lie between 0 and 1.",
    ),
    seed_option("all cases", type=SEED, default=0),
    form_option("form", otherwise="stable"),
    PLANT,
)
@option(
    "--distributed",
    is_flag=True,
    help="Share the cases with the other processes of a cluster, which JAX finds: of Slurm, Open "
    "MPI or Kubernetes. The first one prints the report.",
)
@JSON
@click.pass_context
def sweep(
    context: click.Context,
    cases: int,
    number: int | None,
    distributed: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Draw weights, inputs and targets at random, and compare both gradients element by element.

    Case i depends on the seed and on i alone, whoever draws it, on however many devices and in
    however many processes. What two right gradients may differ by is derived at every case; where
    that does not explain it, handgrad's judge rules, and on the most suspicious cases anyway.
    Ctrl-C ends it with a report of what was covered. Ends with 0 if all agree, else with 1.

    With --case and the options of a sweep, handgrad's judge rules on the gradient by hand, or on
    the planted mistake, at that case; a trace has every link of the right derivation with three
    witnesses, in float64.
    """
    from compare.interrupts import StopRequest

    if number is not None:
        for name in ("cases", "distributed"):
            if context.get_parameter_source(name) == click.core.ParameterSource.COMMANDLINE:
                raise click.UsageError(f"--{name} beside --case; expected one of them.")
        return _look_at(_settings(options), number, as_json)
    with StopRequest() as stop:
        _use_all_cores()
        import jax

        from compare.sweep import sweep
        from compare.terminal import progress, waiting

        wanted = _settings(options)
        with _cluster() if distributed else nullcontext():
            stop.listen()  # after JAX's runtime has started, which installs a handler of its own
            with progress(cases, "cases", transient=False) as show:
                began = time.perf_counter()

                def on_progress(done: int) -> None:
                    show(done, lambda: f"{done / (time.perf_counter() - began) / 1e6:.1f} M/s")

                swept = sweep(wanted, cases, on_progress, stop.requested)
        with waiting("The judge looks at the most suspicious cases"):
            suspects, verdict = swept.judge(FIRST, MOST)
    if jax.process_index() == 0:  # it prints the report; all end alike
        _report(swept, suspects, verdict, as_json)
    # 130 also if another process was interrupted
    code = int(verdict != "agree") or stop.code or (128 + signal.SIGINT) * (cases > swept.cases)
    if swept.is_broken:
        sys.stdout.flush()
        # Exit at once: JAX's shutdown would wait for the process that is gone.
        os._exit(code)
    return code


def _settings(options: dict[str, Any]) -> "Settings":
    """Return the settings of the sweep that the options describe.

    Raises:
        InputError: they do not go together.
    """
    from compare.commands.slugs import slug_of
    from compare.sweep import Distribution, Settings
    from compare.traced.kinds import KINDS, network_of

    network = network_of(options["sizes"], {name: options[name] for name in KINDS})
    if network == network_of((2, 2, 1), {}) and options["examples"] in (None, 1):
        network = None  # the article's, swept with the lines of manual/article.py
    plant = options["plant"]
    if options["form"] is not None and network is not None:
        raise click.UsageError(
            "--sigmoid-derivative beside another network than the article's; expected one without "
            "the other."
        )
    return Settings(
        network=network,
        examples=options["examples"] or (1 if network is None else 2),
        form=options["form"] or "stable",
        plant=None if plant is None else slug_of(plant, "--plant"),
        weights=Distribution.parse("--weights", options["weights"]),
        inputs=Distribution.parse("--inputs", options["inputs"]),
        dtype=options["dtype"],
        seed=options["seed"],
    )


def _use_all_cores() -> None:
    """Make one JAX device for each core: XLA runs blocks of this size on one thread.

    Call it before JAX is imported; nothing happens where JAX_NUM_CPU_DEVICES is set already.
    """
    known = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if known else os.cpu_count() or 1
    os.environ.setdefault("JAX_NUM_CPU_DEVICES", str(cores))


@contextmanager
def _cluster() -> Iterator[None]:
    """Meet the other processes, and keep standard output for the report.

    Messages of JAX's C++ libraries go to standard error.
    """
    import jax

    from compare.terminal import waiting

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


def _look_at(wanted: "Settings", number: int, as_json: bool) -> int:
    """Draw one case again, print the judge's report and a trace, and return the exit code."""
    from compare.commands.output import print_object
    from compare.sweep import case, described, ruling, trace
    from compare.terminal import console, show_verdict, table, waiting
    from compare.terminal import number as shown
    from compare.traced.terminal import show_legend, show_start, show_step

    with waiting("The case again, before the judge and link by link"):
        at = case(wanted, number)
        report, traced = ruling(wanted, at), trace(wanted, at, number)
    about = described(wanted, at, number)
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


def _report(
    swept: "SweepResult", suspects: list[dict[str, Any]], verdict: str, as_json: bool
) -> None:
    """Print the whole result, from the settings to the verdict."""
    import jax

    from compare.commands.output import print_object
    from compare.limits import shape
    from compare.terminal import console, show_verdict

    if as_json:
        print_object(swept.as_object() | {"suspects": suspects, "verdict": verdict})
        return
    out, settings = console(), swept.settings
    planted = f", with {settings.plant} planted" if settings.plant else ""
    out.print(
        f"Network {shape(settings.sizes)}, {settings.dtype}{planted}: weights {settings.weights}, "
        f"inputs {settings.inputs}, seed {settings.seed}; {_count(jax.device_count(), 'device')}, "
        f"{_count(jax.process_count(), 'process', 'es')}."
    )
    out.print("\nHow far apart, in ulps of the larger of the two:\n")
    _show_histogram(out, swept)
    out.print()
    _show_largest(out, swept)
    out.print("\nThe most suspicious cases, before handgrad's judge:\n")
    for suspect in suspects:
        ratio = suspect["bound_ratio"]
        out.print(
            f"case {suspect['case']}, {ratio:.3g} times what rounding explains: {suspect['says']}"
        )
    rate = swept.cases / max(swept.seconds, 1e-9) / 1e6
    stopped = f" Stopped before {swept.requested:,}." * (swept.cases < swept.requested)
    out.print(
        f"\n{swept.cases:,} cases in {swept.seconds:.3g} s, {rate:.3g} million a second.{stopped}"
    )
    show_verdict(out, verdict, _because(swept, suspects, verdict))


def _count(count: int, what: str, plural: str = "s") -> str:
    return f"{count} {what}{'' if count == 1 else plural}"


def _show_histogram(out: "Console", swept: "SweepResult") -> None:
    from compare.sweep import ENDS
    from compare.terminal import table

    rows = table("ulps", "elements", "")
    most = max(1, *swept.histogram)
    last = max((k for k, count in enumerate(swept.histogram) if count), default=0)
    for k, count in enumerate(swept.histogram[: last + 1]):
        upper = "and more" if k + 1 == len(ENDS) else f"to {ENDS[k + 1]:.3g}"
        bar = "█" * round(_LONGEST * count / most)
        rows.add_row(f"{ENDS[k]:.3g} {upper}" if k else "0", f"{count:>14,}", bar)
    out.print(rows)


def _show_largest(out: "Console", swept: "SweepResult") -> None:
    from compare.terminal import table, ulps

    rows = table("parameter", "most ulps apart", "elements judged")
    for name, distance in swept.max_ulps.items():
        rows.add_row(name, ulps(distance), _share(swept.judged[name], swept.cases))
    out.print(rows)


def _share(count: int, of: int) -> str:
    """Format a share: never 0 % of something, nor 100 % of less than all."""
    share = 100 * count / max(of, 1)
    if 0 < share < 0.01:
        return "below 0.01 %"
    return f"{min(share, 99.99) if count < of else share:.4g} %"


def _because(swept: "SweepResult", suspects: list[dict[str, Any]], verdict: str) -> str:
    apart = swept.disagreements
    says = f"{apart or 'none':{',' if apart else ''}} of {swept.cases:,} cases "
    says += f"{'is' if apart in (0, 1) else 'are'} further apart than rounding explains"
    right = [suspect["bound_ratio"] for suspect in suspects if suspect["ruling"] == "agree"]
    if acquitted := sum(ratio > 1 for ratio in right):
        says += f"; in {acquitted:,} of them, the judge finds the gradient by hand right"
    if verdict == "disagree" and not apart:
        says += ", but the judge finds the gradient by hand wrong"
    if swept.overflowed:
        found = f", of which the judge finds {right.count(1):,} right" if 1 in right else ""
        says += f"; {swept.overflowed:,} have no bound, and prove nothing{found}"
    silent = [name for name, count in swept.judged.items() if not count]
    least = min(swept.judged, key=swept.judged.__getitem__)
    if silent:
        more = f" and {len(silent) - 9} more" if len(silent) > 9 else ""
        says += (
            f"; of {', '.join(silent[:9])}{more} no element is larger than what rounding explains, "
            "and nothing is known"
        )
    elif swept.judged[least] < swept.cases / 2:
        share = _share(swept.judged[least], swept.cases)
        says += f"; of {least} only {share} of the elements are larger than that"
    return says
