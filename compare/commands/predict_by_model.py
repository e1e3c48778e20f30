"""`compare predict --model`: predictions of a trained network for named features or a CSV file."""

import csv
import io
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from compare.commands.output import difference, print_object
from compare.limits import LARGEST_VALUE
from handgrad.commands.options import Number

if TYPE_CHECKING:
    import numpy as np

    from compare.csv_table import Table
    from compare.networks.files import Model
    from compare.networks.prediction import Divergence, Predictions

VALUE = Number(
    f"a finite number of size at most {LARGEST_VALUE:g}",
    at_least=-LARGEST_VALUE,
    at_most=LARGEST_VALUE,
)


@dataclass(frozen=True, eq=False)
class Answer:
    """A model's predictions for some rows, and whether both sides agree on them."""

    model: "Model"
    x: "np.ndarray"  #: features, shape (rows, features)
    predictions: "dict[str, Predictions]"  #: by side
    file: "Table | None"  #: the CSV file that the rows are from, if any
    first_divergence: "Divergence | None"  #: of the predictions

    @property
    def verdict(self) -> str | None:
        """The verdict on the trainings and the predictions; None if one side trained."""
        return "disagree" if self.first_divergence else self.model.progress.verdict

    @property
    def because(self) -> str:
        """The reason for the verdict."""
        found = self.first_divergence
        if found is None:
            if self.verdict == "disagree":
                return "the two trainings of this model; the predictions lie within rounding"
            return "by hand and by autodiff, every prediction within rounding"
        of = f" of output {found.output}" if self.model.plan.network.sizes[-1] > 1 else ""
        at = f" in row {found.row}" if len(self.x) > 1 else ""
        return f"prediction{of}{at}: {difference(found)}"

    def warnings(self) -> list[str]:
        """Return warnings about the predictions, a sentence each."""
        from compare.networks.prediction import far_off

        warnings, done = [], self.model.progress.epochs
        if self.model.progress.verdict == "disagree":
            warnings.append("the two trainings of this model disagreed; a new one tells where")
        if done < self.model.epochs:
            warnings.append(f"{done} of the model's {self.model.epochs} epochs are done")
        lines = None if self.file is None else self.file.lines
        return warnings + far_off(self.model, self.x, lines)


def predict_rows(
    model_file: Path,
    given: dict[str, str],
    words: list[str],
    table: Path | None,
    out: Path | None,
    overwrite: bool,
) -> "Answer":
    """Predict for named features, or for a CSV file.

    Args:
        model_file: a file written by `train`.
        given: features by name, as text.
        words: more features, as NAME=VALUE, --NAME=VALUE, or --NAME VALUE.
        table: a CSV file to predict for instead.
        out: where the CSV file with the predictions will be written; checked here.
        overwrite: whether `out` may be there already.

    Raises:
        InputError: the model or the CSV file cannot be used.
        click.UsageError: a feature is missing, unknown or no number.
    """
    import numpy as np

    from compare.csv_table import numbers, read_csv
    from compare.files import unwritable
    from compare.networks.files import load
    from compare.networks.prediction import first_divergence, predict
    from compare.wording import InputError, quoted

    if out and os.path.lexists(out) and not overwrite:
        raise click.UsageError(
            f"'{out}' is there already; expected a new file for --out, or --overwrite."
        )
    if out and table is None:
        raise click.UsageError("--out without --csv; expected a CSV file to predict from.")
    if out and (reason := unwritable(out)):
        raise click.UsageError(f"--out '{out}': {reason}; expected a file that can be written.")
    model = load(model_file)
    given = _named(given, words, model.source.features)
    if table is None:
        file, x = None, np.array([_row(model, given)])
    elif given:
        raise click.UsageError("features beside --csv; expected one or the other.")
    else:
        file = read_csv(table)
        if missing := [name for name in model.source.features if name not in file.names]:
            raise InputError(f"{file.where}: no column {quoted(missing[0])}; expected the features")
        x = numbers(file, model.source.features)
    return Answer(model, x, predict(model, x), file, first_divergence(model, x))


def _named(given: dict[str, str], words: list[str], features: tuple[str, ...]) -> dict[str, str]:
    """Return all features by name; a name may contain anything, even "=" or leading dashes."""
    named = dict(given)
    rest = iter(words)
    for word in rest:
        spelled = [
            (name, word[len(start) + 1 :])
            for name in features
            for start in (name, f"--{name}")
            if word.startswith(f"{start}=")
        ]
        if spelled:
            name, value = max(spelled, key=lambda pair: len(pair[0]))
        else:
            name, equals, value = word.removeprefix("--").partition("=")
            if not equals and not word.startswith("--"):
                raise click.UsageError(f"{word!r}; expected a feature as NAME=VALUE.")
            value = value if equals else next(rest, "")
        if name in named:
            raise click.UsageError(f"{name!r} a second time; expected each feature once.")
        named[name] = value
    return named


def _row(model: "Model", given: dict[str, str]) -> list[float]:
    from compare.wording import listed, near_miss

    features = model.source.features
    for name in given:
        if name not in features:
            raise click.UsageError(
                f"no feature {name!r}{near_miss(name, features)}; expected {listed(features)}."
            )
    if missing := [name for name in features if name not in given]:
        raise click.UsageError(
            f"no value for {listed(missing)}; expected NAME=VALUE for each feature, or --csv."
        )
    return [_value(name, given[name]) for name in features]


def _value(name: str, text: str) -> float:
    try:
        return VALUE.convert(text, None, None)
    except click.BadParameter as error:
        raise click.UsageError(f"{name}: {error.message}") from error


def show(answer: Answer, table: Path | None, out: Path | None, as_json: bool) -> None:
    """Print the predictions, or write them to `out` as a CSV file with the new columns last.

    The verdict comes last: on standard error where standard output is the CSV file.
    """
    from compare.files import write_whole
    from compare.terminal import console, show_verdict

    text = None
    if answer.file is not None and (out or not as_json):
        text = _as_csv(answer, answer.file)
    if text is not None and out is not None:
        write_whole(out, lambda temporary: _write(temporary, text))
    if as_json:
        print_object(_as_object(answer))
        return
    # Warnings go to standard error: standard output may be the CSV file.
    for sentence in answer.warnings():
        click.echo(f"Warning: {sentence}.", err=True)
    if text is None:
        _show_one(answer)
        click.echo()
    elif out is None:
        click.echo(text, nl=False)
        if answer.verdict:
            click.echo(f"{answer.verdict}: {answer.because}", err=True)
        return
    else:
        click.echo(f"{len(answer.x)} predictions from {table}: {out}")
    if answer.verdict:
        show_verdict(console(), answer.verdict, answer.because)
    else:
        click.echo("Not compared: one of the two trained alone.")


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="")


def _show_one(answer: Answer) -> None:
    from compare.networks.trainers import SIDE_LABELS
    from compare.terminal import console, table
    from compare.wording import shown

    predictions, source = answer.predictions, answer.model.source
    columns = table(shown(source.target), *(SIDE_LABELS[side] for side in predictions))
    values = [p.values[0] for p in predictions.values()]
    columns.add_row("prediction", *(shown(v) if isinstance(v, str) else f"{v:.6g}" for v in values))
    chances = [p.probabilities for p in predictions.values() if p.probabilities is not None]
    if chances:
        for code, label in enumerate(source.classes or ()):
            of_class = (f"{p[0, code]:.3f}" for p in chances)
            columns.add_row(f"probability of {shown(label)}", *of_class)
    console().print(columns)


def _as_object(answer: Answer) -> dict[str, Any]:
    from compare.commands.networks import WORDS

    source = answer.model.source
    rows = []
    for at, row in enumerate(answer.x.tolist()):
        by = {}
        for side, predictions in answer.predictions.items():
            chances = predictions.probabilities
            by[WORDS[side]] = {
                "prediction": predictions.values[at],
                "probabilities": None
                if chances is None or source.classes is None
                else dict(zip(source.classes, map(float, chances[at]), strict=True)),
            }
        rows.append({"features": dict(zip(source.features, row, strict=True)), "by": by})
    return {
        "target": source.target,
        "classes": source.classes,
        "rows": rows,
        "warnings": answer.warnings(),
        "first_divergence": answer.first_divergence and asdict(answer.first_divergence),
        "verdict": answer.verdict,
    }


def _as_csv(answer: Answer, file: "Table") -> str:
    """Append the prediction and its probability to each row; by hand, if that side trained.

    Raises:
        click.UsageError: the file has a column of that name already.
    """
    first = next(iter(answer.predictions.values()))
    new: dict[str, list[Any]] = {f"predicted {answer.model.source.target}": first.values}
    if first.probabilities is not None:
        new["probability"] = [float(p) for p in first.probabilities.max(axis=1)]
    for name in new:
        if name in file.names:
            raise click.UsageError(
                f"{file.where}: a column {name!r} is there already; expected a file without it."
            )
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow([*file.names, *new])
    writer.writerows(
        [*row.values(), *more] for row, *more in zip(file.rows, *new.values(), strict=True)
    )
    return written.getvalue()
