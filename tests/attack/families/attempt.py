"""One attempt on the judge: a function, its right derivative, and realistic wrong ones."""

import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.attack.stored import Row

#: What each answer is, and the checks of it: `answers["right"]()` is a report, of any verb.
Answers = Mapping[str, Callable[[], Any]]

#: A wrong answer differs from the right one by so much of its largest element, at least.
WRONG_BY = 1e-3


@dataclass(frozen=True)
class Attempt:
    """A function whose derivatives are known without the judge."""

    family: str
    name: str
    source: str
    answers: Answers

    def rows(self, wanted: Callable[[str], bool] = lambda key: True) -> Iterator[Row]:
        """Put every answer before the judge, each a row."""
        for answer, check in self.answers.items():
            key = f"{self.family}: {self.name}: {answer}"
            if not wanted(key):
                continue
            right, start = answer.startswith("right"), time.process_time()
            try:
                with warnings.catch_warnings(action="ignore"):
                    report = check()
            except Exception as error:  # whatever the judge raises is what is looked for
                verdict, certified, says = "error", False, f"{type(error).__name__}: {error}"
            else:
                verdict, certified = report.verdict, report.certified
                says = report.headline
            row = {"id": key, "family": self.family, "right": right, "verdict": verdict}
            row |= {"certified": certified, "says": " ".join(says.split())[:200]}
            row |= {"seconds": round(time.process_time() - start, 2)}
            row["outcome"] = outcome(right, verdict)
            yield row if row["outcome"] in ("right", "caught") else row | {"source": self.source}


def outcome(right: bool, verdict: str) -> str:
    """Rate a verdict."""
    passes = verdict in ("agree", "imprecise")
    if not passes and verdict != "disagree":
        return verdict
    return {True: {True: "right", False: "false alarm"}, False: {True: "missed", False: "caught"}}[
        right
    ][passes]


def figures(rows: list[Row]) -> dict[str, Any]:
    """Count by family: what was right and wrong, and what the judge called it."""
    table = []
    for family in dict.fromkeys(row["family"] for row in rows):
        of = [row for row in rows if row["family"] == family]
        count = {
            name: sum(row["outcome"] == name for row in of)
            for name in ("false alarm", "missed", "undecidable", "error")
        }
        rights = sum(row["right"] for row in of)
        ruled = [row for row in of if row["outcome"] in ("right", "caught")]
        count |= {"right": rights, "wrong": len(of) - rights, "ruled": len(ruled)}
        count |= {"certified": sum(row["certified"] for row in ruled)}
        table.append({"name": family} | count)
    return {
        "table": table,
        "odd": [row for row in rows if row["outcome"] in ("false alarm", "missed", "error")],
    }


def differ(a: Any, b: Any) -> bool:
    """Tell whether an answer is another one than the right one."""
    gap, size = (float(np.max(np.abs(v))) for v in (np.subtract(a, b), b))
    return gap > WRONG_BY * max(size, WRONG_BY)
