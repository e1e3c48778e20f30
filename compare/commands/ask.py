"""`compare predict --model`: what a trained network says of named features or of a CSV file."""

import csv
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from compare.commands.options import Number
from compare.commands.output import print_object

if TYPE_CHECKING:
    from compare.networks.files import Model
    from compare.networks.prediction import Predictions

VALUE = Number("a finite number of size at most 1e100", at_least=-1e100, at_most=1e100)


def ask(
    model_file: Path,
    given: dict[str, str],
    words: list[str],
    table: Path | None,
    out: Path | None,
) -> Any:
    """Predict for named features, or for a CSV file; returns what `show` shows.

    Args:
        model_file: what `train` has written.
        given: features by name, as text.
        words: more of them, as NAME=VALUE, --NAME=VALUE, or --NAME VALUE.
        table: a CSV file instead.
        out: a CSV file for the answer.

    Raises:
        click.UsageError: the model or the CSV file cannot be used, or a feature is missing,
            unknown or no number.
    """
    import numpy as np

    from compare.dataset import DatasetError
    from compare.datasets import read_features
    from compare.files import unwritable
    from compare.networks.files import ModelError, load
    from compare.networks.prediction import predict

    if out and os.path.lexists(out):
        raise click.UsageError(f"'{out}' is there already; expected a new file for --out.")
    if out and table is None:
        raise click.UsageError("--out without --csv; expected a CSV file to predict from.")
    if out and (reason := unwritable(out)):
        raise click.UsageError(f"--out '{out}': {reason}; expected a file that can be written.")
    try:
        model = load(model_file)
        given = _named(given, words, model.source.features)
        if table is None:
            x = np.array([_row(model, given)])
            return model, None, x, predict(model, x)
        if given:
            raise click.UsageError("features beside --csv; expected one or the other.")
        rows = read_features(table, model.source.features)
        return model, rows, rows.x, predict(model, rows.x)
    except (ModelError, DatasetError) as error:
        raise click.UsageError(f"{error}.") from error


def _named(given: dict[str, str], words: list[str], features: tuple[str, ...]) -> dict[str, str]:
    """All features by name; a name may hold anything, also "=" or dashes in front."""
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


def show(answer: Any, table: Path | None, out: Path | None, as_json: bool) -> None:
    """Print the predictions, or write them to `out` as a CSV file with the new columns last."""
    from compare.files import write_whole

    model, rows, x, said = answer
    if as_json:
        print_object(_as_object(model, x, said))
    elif rows is None:
        _show_one(model, x[0], said)
    if rows is None or (as_json and not out):
        return
    text = _as_csv(model, rows, said)
    if out:
        write_whole(out, lambda temporary: _write(temporary, text))
        if not as_json:
            click.echo(f"{len(rows.cells)} predictions from {table}: {out}")
    else:
        click.echo(text, nl=False)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="")


def _show_one(model: "Model", x: Any, said: "dict[str, Predictions]") -> None:
    from compare.commands.networks import SIDES
    from compare.networks.prediction import far_off
    from compare.terminal import console, table

    screen = console()
    if model.progress.first_divergence:
        screen.print("Warning: the two trainings of this model disagreed; see train or resume.")
    for sentence in far_off(model, x):
        screen.print(f"Warning: {sentence}; the network extrapolates.")
    shown = table(model.source.target, *(SIDES[side] for side in said))
    first = next(iter(said.values()))
    values = [p.values[0] for p in said.values()]
    shown.add_row("prediction", *(v if isinstance(v, str) else f"{v:.6g}" for v in values))
    if first.probabilities is not None:
        for code, label in enumerate(model.source.classes or ()):
            chances = [
                p.probabilities[0, code] for p in said.values() if p.probabilities is not None
            ]
            shown.add_row(f"probability of {label}", *(f"{p:.3f}" for p in chances))
    screen.print(shown)


def _as_object(model: "Model", x: Any, said: "dict[str, Predictions]") -> dict[str, Any]:
    from compare.commands.networks import WORDS

    classes = model.source.classes
    rows = []
    for at, row in enumerate(x.tolist()):
        by = {}
        for side, predictions in said.items():
            chances = predictions.probabilities
            by[WORDS[side]] = {
                "prediction": predictions.values[at],
                "probabilities": None
                if chances is None or classes is None
                else dict(zip(classes, map(float, chances[at]), strict=True)),
            }
        rows.append({"features": dict(zip(model.source.features, row, strict=True)), "by": by})
    return {"target": model.source.target, "classes": classes, "rows": rows}


def _as_csv(model: "Model", rows: Any, said: "dict[str, Predictions]") -> str:
    """The file as it was, with the prediction (by hand if it trained) and its probability last."""
    first = next(iter(said.values()))
    new = [f"predicted {model.source.target}"]
    columns: list[list[Any]] = [first.values]
    if first.probabilities is not None:
        new.append("probability")
        columns.append([float(p) for p in first.probabilities.max(axis=1)])
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow([*rows.header, *new])
    writer.writerows([*cells, *more] for cells, *more in zip(rows.cells, *columns, strict=True))
    return written.getvalue()
