"""The kinds of files that are read, each with valid ones to start from and what reads them."""

import contextlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.cli import compare, table
from benchmarks.commands.checkers import checkers
from compare.data import dataset_named, prepare, table_named
from compare.regression import compare_regressions
from compare.wording import InputError
from handgrad.commands.loading import Loader, LoadingError, parse
from tests.attack.cases import ROOT
from tests.attack.hostile import mutations
from tests.attack.hostile.mutations import BYTES, Mutation

#: What a file may be refused with, in one line.
REFUSALS = (InputError, LoadingError, click.ClickException)

#: Tables that are valid.
_TEXTS = (
    "height,weight,sex\n60,120,F\n72,160,M\n70,152,M\n62,131,F\n66,135,M\n65,128,F\n",
    '\ufeff"height, in","we""ight",sex\r\n1.5,-2e3,"a\nb"\r\n\r\n+.5,1,"a\nb"\r\n3,4,c\r\n5,6,c\n',
    "a,b,c\n" + "\n".join(f"{i % 7}.5,{i * i % 11},{'yes' if i % 3 else 'no'}" for i in range(30)),
    "height,weight,sex\n1,2,0\n2,3,1\n3,4,0.5\n4,5.5,3\n",
)
TABLES = tuple(text.encode() for text in _TEXTS)

with io.BytesIO() as _file:
    np.savez(_file, w0=np.ones((2, 1)), b0=np.zeros(1))
    #: What `train --out` writes.
    MODEL = _file.getvalue()


@dataclass(frozen=True)
class Kind:
    """A kind of file: what is valid, what reads it, and how it is mutated."""

    suffix: str
    seeds: Callable[[], list[bytes]]
    read: Callable[[Path], Any]  #: all that is done with it before anything is computed for long
    mutations: tuple[Mutation, ...] = BYTES


def _train(path: Path) -> None:
    # The last column by its place, whatever it is called now.
    name = path.read_bytes()[:2000].decode("utf-8-sig", "replace").splitlines()[:1]
    target = name[0].split(",")[-1].strip().strip('"') if name else "sex"
    data = dataset_named(str(path), target)
    prepare(data, 1 if data.classes is None else len(data.classes), 0.2, 0, "float64")


def _regress(path: Path) -> None:
    compare_regressions(table_named(str(path)), steps=1)


def timings() -> list[bytes]:
    stored = json.loads((ROOT / "benchmarks/results/cpu.json").read_text())
    cells: dict[str, list[Any]] = {}  # one of each case
    for row in stored["benchmarks"]:
        row["runs"] = [run | {"values": run["values"][:2]} for run in row["runs"][:2]]
        cells.setdefault(row["metadata"]["name"].split("/")[0], []).append(row)
    few = [row for rows in [*cells.values()][:2] for row in rows[:5]]
    return [json.dumps(stored | {"benchmarks": rows}).encode() for rows in (few[:5], few)]


def _table(path: Path) -> None:
    before = path.with_name("before.json")
    if not before.exists():
        before.write_bytes(timings()[1])
    with contextlib.redirect_stdout(io.StringIO()):
        table.main([str(path)], standalone_mode=False)
        compare.main([str(before), str(path), "--json"], standalone_mode=False)
        compare.main([str(path), str(before)], standalone_mode=False)


def answers() -> list[bytes]:
    stored = json.loads((ROOT / "benchmarks/results/checkers/gradients.json").read_text())
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
    "table to train on": Kind(".csv", lambda: [*TABLES], _train),
    "table to fit": Kind(".csv", lambda: [TABLES[3]], _regress),
    "timings": Kind(".json", timings, _table, _JSON),
    "answers": Kind(".json", answers, _checkers, _JSON),
    "module": Kind(".py", lambda: [MODULE], _module),
}
