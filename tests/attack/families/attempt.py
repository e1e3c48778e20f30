"""One attempt on the judge: a function, its right derivative, and realistic wrong ones."""

import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluation.rows import Row

#: Verdicts that are wrong: on a right answer, and on a wrong one.
WRONGLY = ("false alarm", "missed")

#: A wrong answer differs from the right one by so much of its largest element, at least.
WRONG_BY = 1e-3


@dataclass(frozen=True)
class Attempt:
    """A function whose derivatives are known without the judge."""

    family: str
    name: str
    source: str
    #: The check of each answer, whose name begins with "right" if it is: a report of any verb.
    answers: Mapping[str, Callable[[], Any]]

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
    """Rate a verdict on an answer."""
    if verdict in ("agree", "imprecise"):
        return "right" if right else "missed"
    return ("false alarm" if right else "caught") if verdict == "disagree" else verdict


def figures(rows: list[Row]) -> dict[str, Any]:
    """Count by family: what was right and wrong, and what the judge called it."""
    table = []
    for family in dict.fromkeys(row["family"] for row in rows):
        of = [row for row in rows if row["family"] == family]
        counts = Counter(row["outcome"] for row in of)
        rights = sum(row["right"] for row in of)
        certified = sum(row["certified"] for row in of if row["outcome"] in ("right", "caught"))
        known = {"name": family, "right": rights, "wrong": len(of) - rights}
        known["certified"] = f"{100 * certified / len(of):.0f} %"
        table.append(known | {name: counts[name] for name in (*WRONGLY, "undecidable", "error")})
    odd = [row for row in rows if row["outcome"] in (*WRONGLY, "error")]
    return {"table": table, "odd": odd, "count": len(rows)}


def differ(a: Any, b: Any) -> bool:
    """Tell whether an answer is another one than the right one."""
    gap, size = (float(np.max(np.abs(v))) for v in (np.subtract(a, b), b))
    return gap > WRONG_BY * max(size, WRONG_BY)
