"""Rule on the corpus, and on cases drawn afresh, one line of JSON each: `-m tests.corpus.rulings`.

The judge is whichever `handgrad` is imported, so that two revisions rule on the same cases.
"""

import json
import os
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

# As in tests/conftest.py, before JAX is imported.
os.environ.setdefault("JAX_NUM_CPU_DEVICES", "2")

import click
import numpy as np

from tests.corpus.all import MODELS, all_cases, of_model
from tests.corpus.case import Case, verdict_of

#: How many seconds of the processor a case may take: an old judge went on for ever in some.
LONGEST = 120

#: The formats of cases drawn afresh, and at how many points besides they are judged.
FORMATS, POINTS = (np.float64, np.float32), (0, 2)


def drawn(seed: int, count: int) -> Iterator[Case]:
    """Draw gradients of models, half of them right, at points of their own."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        name, model = list(MODELS.items())[rng.integers(len(MODELS))]
        right, *wrong = of_model(name, model, model.point(rng, FORMATS[rng.integers(len(FORMATS))]))
        case = wrong[rng.integers(len(wrong))] if wrong and number % 2 else right
        points = int(rng.choice(POINTS))
        yield replace(case, name=f"{seed}-{number}, {case.name}", options={"points": points})


def ruling(case: Case) -> dict[str, Any]:
    """Judge a case; what two judges have to have in common, and how long it took."""
    start = time.process_time()
    found = {"case": case.name, "verdict": "none", "certified": None, "blame": None}
    with warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"):
        signal.setitimer(signal.ITIMER_PROF, LONGEST)
        try:
            verdict, report = verdict_of(case.check)
        except KeyboardInterrupt:
            return found | {"says": f"not in {LONGEST} seconds"}
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        found["verdict"] = verdict
        if isinstance(report, str):
            return found | {"says": report}
        found["certified"] = getattr(report, "certified", None)
        found["blame"] = getattr(report, "blame", None)
        kinds = {f.kind for f in getattr(report, "findings", ())}
    found |= {"kinds": sorted(kinds), "says": report.headline}
    return found | {"seconds": round(time.process_time() - start, 2)}


@click.command()
@click.option("--fresh", default=0, help="How many cases are drawn afresh.")
@click.option("--seed", default=0, help="By what they are drawn.")
@click.option("--stored/--no-stored", default=True, help="Whether the corpus is ruled on.")
def main(fresh: int, seed: int, stored: bool) -> None:
    """Rule on cases; one line of JSON each."""
    signal.signal(signal.SIGPROF, signal.default_int_handler)
    cases = [*(all_cases().values() if stored else ()), *drawn(seed, fresh)]
    for case in cases:
        print(json.dumps(ruling(case), ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main(prog_name=f"{sys.executable} -m tests.corpus.rulings")
