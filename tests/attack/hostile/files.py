"""The kinds of files that are read, each with valid ones to start from and what reads them."""

import contextlib
import functools
import io
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from benchmarks.commands.checkers import checkers
from benchmarks.commands.read import compare, table
from compare.commands.predict_by_model import Answer, _as_csv
from compare.csv_table import numbers, read_csv
from compare.data import dataset_named, table_named
from compare.networks.files import load, save
from compare.networks.job import Job, source_of
from compare.networks.plan import Plan
from compare.networks.prediction import far_off, first_divergence, predict
from compare.networks.prepared import prepare
from compare.networks.trainers import BY_HAND
from compare.networks.training import train
from compare.regression import compare_regressions
from compare.traced.parameters import read_parameters
from compare.traced.request import PassRequest, _refuse_large
from compare.traced.trained import of_model
from compare.wording import InputError
from handgrad.commands.loading import Loader, LoadingError, parse
from manual.network import Network
from tests.attack.cases import ROOT
from tests.attack.hostile import mutations
from tests.attack.hostile.mutations import BYTES, Mutation

#: What a file may be refused with, in one line.
REFUSALS = (InputError, LoadingError, click.ClickException)

#: Files of the checkout whose lines count as coverage.
ROOMS = tuple(str(ROOT / room) for room in ("compare", "benchmarks", "handgrad", "manual"))

#: The rows that are asked of a model for its example, and where the data of stored models lie.
_TEXTS = (
    "height,weight,sex\n60,120,F\n72,160,M\n70,152,M\n62,131,F\n66,135,M\n65,128,F\n",
    '\ufeff"height, in","we""ight",sex\r\n1.5,-2e3,"a\nb"\r\n\r\n+.5,1,"a\nb"\r\n3,4,c\r\n5,6,c\n',
    "a,b,c\n" + "\n".join(f"{i % 7}.5,{i * i % 11},{'yes' if i % 3 else 'no'}" for i in range(30)),
    "height,weight,sex\n1,2,0\n2,3,1\n3,4,0.5\n4,5.5,3\n",
)
TABLES = tuple(text.encode() for text in _TEXTS)


@dataclass(frozen=True)
class Kind:
    """A kind of file: what is valid, what reads it, and how it is mutated."""

    about: str
    suffix: str
    share: int  #: of all inputs, in thousandths
    seeds: Callable[[], list[bytes]]
    read: Callable[[Path], Any]  #: all that is done with it before anything is computed for long
    mutations: tuple[Mutation, ...] = BYTES


def _train(path: Path) -> None:
    # The last column by its place, whatever it is called now.
    name = path.read_bytes()[:2000].decode("utf-8-sig", "replace").splitlines()[:1]
    target = name[0].split(",")[-1].strip().strip('"') if name else "sex"
    data = dataset_named(str(path), target)
    source_of(data, str(path))
    prepare(data, 1 if data.classes is None else len(data.classes), 0.2, 0, "float64")


def _regress(path: Path) -> None:
    compare_regressions(table_named(str(path)), steps=1)


def _predict(path: Path) -> None:
    model = _model()
    file = read_csv(path)
    x = numbers(file, model.source.features)
    _as_csv(Answer(model, x, predict(model, x), file, first_divergence(model, x)), file)


@functools.cache
def _model() -> Any:
    """A model of the columns a and b, trained by hand on the third table."""
    return _trained((BY_HAND,), "adam", "softmax-ce", (2, 3, 2))


def _trained(by: Any, optimiser: str, loss: str, sizes: Any, dtype: str = "float64") -> Any:
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        Path(file.name).write_bytes(TABLES[2])
        data = dataset_named(file.name, "c")
        source = source_of(data, "iris")
    plan = Plan(Network(sizes, loss=loss), optimiser, 0.01, 8, 0, dtype)
    job = Job(data, source, plan, by, 2, 0.2)
    training = job.training()
    return job.model(training.data, train(training, training.start(), 2))


def models() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path, made = Path(folder, "model.npz"), []
        single = _trained((BY_HAND,), "sgd", "bce", (2, 1), "float32")
        for model in (_model(), single):
            save(model, path)
            made.append(path.read_bytes())
    return made


def _resume(path: Path) -> None:
    model = load(path)
    x = model.scale.mean[None] + 1
    predict(model, x)
    first_divergence(model, x)
    far_off(model, x, None)
    of_model(path, tuple(map(float, x[0])), (0.0,))
    again = path.with_name("again.npz")
    save(model, again)
    load(again)


def parameters() -> list[bytes]:
    nine = {f"w{i}": 0.5 * i for i in range(1, 7)} | {f"b{i}": -i for i in range(1, 4)}
    layers = [
        {"w": [[0.1, 0.2, -1], [3, 4e-3, 5]], "b": [0, 0.5, 1]},
        {"w": [[1], [2], [3]], "b": [0]},
    ]
    kinds = {"activation": "tanh", "output": "identity", "loss": "huber", "l2": 0.01}
    return [json.dumps(c).encode() for c in (nine, {"layers": layers}, {"layers": layers} | kinds)]


def _step(path: Path) -> None:
    written = read_parameters(path)
    _refuse_large(written.sizes)
    PassRequest(params=path)._network(written.sizes, written.kinds)


def timings() -> list[bytes]:
    stored = json.loads((ROOT / "benchmarks/results/cpu.json").read_text())
    cells = {cell["case"]: cell for cell in stored["cells"]}  # one of each case
    for cell in cells.values():
        cell["rows"] = cell["rows"][:5]
        for row in cell["rows"]:
            row["samples"] = [samples[:2] for samples in row["samples"][:2]]
    few = [*cells.values()][:2]
    return [json.dumps(stored | {"cells": few[:n], "left_out": ["x"]}).encode() for n in (1, 2)]


def _table(path: Path) -> None:
    before = path.with_name("before.json")
    if not before.exists():
        before.write_bytes(timings()[1])
    with contextlib.redirect_stdout(io.StringIO()):
        table.main([str(path)], standalone_mode=False)
        compare.main([str(before), str(path), "--json"], standalone_mode=False)
        compare.main([str(path), str(before)], standalone_mode=False)


def answers() -> list[bytes]:
    stored = json.loads((ROOT / "benchmarks/results/checkers.json").read_text())
    checks = stored["checks"]
    for check in checks:
        check["message"] = check["message"][:99]
    some = (checks[:: len(checks) // 6], checks[:2])
    return [json.dumps(stored | {"checks": few}).encode() for few in some]


def _checkers(path: Path) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        checkers.main(["--table", str(path)], standalone_mode=False)


MODULE = b'''"""A loss and its gradient."""
import jax.numpy as jnp
import numpy as np
from dataclasses import dataclass


@dataclass
class Point:
    w: tuple = (1.0, -2.5)
    x: object = None


def loss(w, x):
    return jnp.sum((x @ w) ** 2)


def gradient(w, x):
    return 2 * x.T @ (x @ w)


example = (np.array([1.0, 2.0]), np.ones((3, 2)))
'''


def _module(path: Path) -> None:
    loader = Loader()
    for name in ("gradient", "loss", "example"):
        loader.load(parse(f"{path}:{name}", name))


_JSON = (*BYTES, *[mutations.in_json] * 14)

KINDS = {
    "table to train on": Kind("CSV, `train --data`", ".csv", 230, lambda: [*TABLES], _train),
    "table to fit": Kind("CSV, `regress`", ".csv", 40, lambda: [TABLES[3]], _regress),
    "rows to predict": Kind("CSV, `predict --csv`", ".csv", 180, lambda: [TABLES[2]], _predict),
    "model": Kind(
        "NPZ, `resume`, `predict`, `step --model`",
        *(".npz", 150, models, _resume),
        (*BYTES, *[mutations.in_archive] * 14, *[mutations.in_directory] * 4),
    ),
    "parameters": Kind("JSON, `step --params`", ".json", 220, parameters, _step, _JSON),
    "timings": Kind("JSON, `benchmarks table`, `compare`", ".json", 60, timings, _table, _JSON),
    "answers": Kind("JSON, `checkers --table`", ".json", 60, answers, _checkers, _JSON),
    "module": Kind("Python, `handgrad check`", ".py", 60, lambda: [MODULE], _module),
}
