"""Davis's people, and the one of them who was recorded the wrong way round.

One row of 200, outside the cloud of all others, bends any line through the data. What to do about
it is not for the network to find out: the row stays in the file as it was printed, the correction
stands here with its evidence, and whoever wants the row as it was printed gets it.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compare.csv_cells import Csv, read_csv
from compare.csv_columns import numbers
from compare.wording import InputError

FILE = Path(__file__).parent / "data" / "davis.csv"
FEATURES = ("weight", "height")  # kg, cm, as measured


@dataclass(frozen=True)
class Correction:
    """A row that is known to be wrong, and what is right, for the columns `FEATURES`."""

    row: str  #: its name, which is its first cell
    printed: tuple[float, float]
    right: tuple[float, float]
    evidence: str

    def note(self, raw: bool) -> str:
        """What became of the row, for a reader of the data."""
        printed, right = ("{:g} kg and {:g} cm".format(*x) for x in (self.printed, self.right))
        done = "kept as printed" if raw else f"corrected to {right}"
        return f"row {self.row} was printed as {printed}, {self.evidence}; {done}"


CORRECTIONS = (
    Correction(
        row="12",
        printed=(166.0, 57.0),
        right=(57.0, 166.0),
        evidence="exchanged: she herself reported 56 kg and 163 cm",
    ),
)


def people(raw: bool = False, path: Path = FILE) -> tuple[np.ndarray, list[str], str]:
    """The 200 people: what was measured, their sex, and what happened to the wrong row.

    Args:
        raw: leave the rows as they were printed.
        path: of the file.

    Returns:
        Weight (kg) and height (cm), float64, shape (200, 2); "M" or "F" for each; the notes.

    Raises:
        InputError: a row to be corrected does not hold what is known to be wrong with it.
    """
    table = read_csv(path)
    x = numbers(table, [table.names.index(name) for name in FEATURES])
    for correction in CORRECTIONS:
        position = _position(table, x, correction)
        if not raw:
            x[position] = correction.right
    sexes = [row.cells[table.names.index("sex")] for row in table.rows]
    return x, sexes, "; ".join(correction.note(raw) for correction in CORRECTIONS)


def _position(table: Csv, x: np.ndarray, correction: Correction) -> int:
    """Where the row of a correction is, which must still be wrong in the known way."""
    position = [row.cells[0] for row in table.rows].index(correction.row)
    found = tuple(x[position].tolist())
    if found != correction.printed:
        raise InputError(
            f"{table.where}, line {table.rows[position].line}: weight and height {found}; "
            f"expected the known error, {correction.printed}"
        )
    return position
