"""Files of models: written whole, read back to the bit, and refused in one line if not right."""

import io
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compare.networks.files import Model, load, save
from compare.networks.training import BY_HAND, train
from compare.wording import InputError
from tests.compare.networks.calls import BOTH, arrays, compare, job, refused
from tests.tiers import fewer


def trained(**of: Any) -> Model:
    work = job(**of)
    training = work.training()
    return work.model(training.data, train(training, training.start(), work.epochs))


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("good") / "model.npz"
    save(trained(), path)
    return path.read_bytes()


def refuse(path: Path, content: bytes | None) -> str:
    """The reason why a file is no model; it is one line, and the same for all who read it."""
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load(path)
    reason = str(caught.value)
    assert "\n" not in reason
    assert reason.startswith(f"{path}: ")
    assert "; expected " in reason
    return reason


def refused_by_all(path: Path, content: bytes | None = None) -> str:
    reason = refuse(path, content)
    for words in (("resume", path), ("predict", "--model", path, "x=1")):
        assert refused(*words) == f"{reason}."
    if content is not None:
        assert path.read_bytes() == content
    return reason


@pytest.mark.parametrize("optimiser", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_written_is_read(tmp_path: Path, optimiser: str, dtype: str) -> None:
    path, again = tmp_path / "model.npz", tmp_path / "again.npz"
    model = trained(optimiser=optimiser, dtype=dtype, activation="gelu", l2=0.01)
    save(model, path)
    read = load(path)
    assert (read.plan, read.by, read.epochs) == (model.plan, model.by, model.epochs)
    assert vars(read.source) == vars(model.source)
    point, point_read = model.progress.points[BY_HAND], read.progress.points[BY_HAND]
    assert point_read.params.dtype == np.dtype(dtype)
    assert point_read.params.tobytes() == point.params.tobytes()
    assert point_read.moments.tobytes() == point.moments.tobytes()
    assert point_read.count == point.count == 3 * 4
    save(read, again)
    assert arrays(again) == arrays(path)
    assert sorted(tmp_path.iterdir()) == [again, path]


@pytest.mark.slow
def test_both_sides_and_a_divergence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import manual.network

    right = manual.network.gradient
    monkeypatch.setattr(
        manual.network,
        "gradient",
        lambda *args: [layer._replace(b=1.01 * layer.b) for layer in right(*args)],
    )
    model = trained(by=BOTH, epochs=1)
    found = model.progress.first_divergence
    assert found is not None
    save(model, tmp_path / "model.npz")
    read = load(tmp_path / "model.npz").progress
    assert read.first_divergence == found
    assert read.max_drift_ulps == model.progress.max_drift_ulps > 1e6


def test_cut_short_anywhere(tmp_path: Path, good: bytes) -> None:
    path = tmp_path / "cut.npz"
    for length in np.linspace(0, len(good) - 1, 60).astype(int):
        assert "cut short, damaged, or no model" in refuse(path, good[:length])
    for length in (0, 1, len(good) // 2, len(good) - 1):
        refused_by_all(path, good[:length])


def _npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def _npy() -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


class Bomb:
    """Writes a file if somebody unpickles it."""

    def __reduce__(self) -> Any:
        return Path.write_text, (Path("unpickled"), "boom")


FOREIGN: dict[str, Callable[[], bytes]] = {
    "foreign archive": lambda: _npz(weights=np.zeros(3)),
    "array": _npy,
    "text": lambda: b"height,weight\n1,2\n",
    "empty": lambda: b"",
    "empty archive": lambda: _npz(),
    "pickle": lambda: pickle.dumps(Bomb()),
    "pickle in the header": lambda: _npz(header=np.array(Bomb(), dtype=object)),
    "header of a list": lambda: _npz(header=np.array("[1]")),
    "header of bytes": lambda: _npz(header=np.array(b"\xff")),
    "header nested deeply": lambda: _npz(header=np.array("[" * 100_000)),
    "header that is no JSON": lambda: _npz(header=np.array("{'kind'}")),
    "header of numbers": lambda: _npz(header=np.zeros(3)),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    monkeypatch.chdir(tmp_path)
    reason = refused_by_all(tmp_path / "foreign.npz", FOREIGN[what]())
    assert "expected a file that train has written" in reason
    assert not Path("unpickled").exists()


def test_no_file_at_all(tmp_path: Path) -> None:
    assert "No such file or directory" in refused_by_all(tmp_path / "absent.npz")
    assert "Is a directory; expected" in refused_by_all(tmp_path)


def _without(name: str) -> Callable[[Any, Any], None]:
    def change(header: Any, arrays: Any) -> None:
        (arrays if name in arrays else header).pop(name)

    return change


def _header(**values: Any) -> Callable[[Any, Any], None]:
    """Change a header; `plan__seed` is `seed` in `plan`."""

    def change(header: Any, arrays: Any) -> None:  # noqa: ARG001 (the form of all)
        for key, value in values.items():
            *inside, last = key.split("__")
            part = header
            for name in inside:
                part = part[name]
            part[last] = value

    return change


def _array(name: str, change: Callable[[Any], Any]) -> Callable[[Any, Any], None]:
    def put(header: Any, arrays: Any) -> None:  # noqa: ARG001 (the form of all)
        arrays[name] = change(arrays[name]) if name in arrays else change(None)

    return put


def _with(value: float) -> Callable[[Any], Any]:
    def change(array: Any) -> Any:
        array = array.copy()
        array.flat[-1] = value
        return array

    return change


P = "by_hand.params"
DIVERGENCE = {
    "update": 0,
    "parameter": "",
    "quantity": "loss",
    "along": "by_hand",
    "off": "both",
    "by_hand": 1.0,
    "autodiff": 2.0,
    "bound": 0.0,
    "ulps": 9.0,
}
CONTRADICTIONS: dict[str, tuple[Callable[[Any, Any], None], str]] = {
    "kind": (_header(kind="zoo"), "no model in it"),
    "version": (_header(version=2), "version 2; expected 1"),
    "no version": (_without("version"), "version None; expected 1"),
    "shape": (_array(P, lambda a: a[:-1]), "by_hand.params has shape (58,)"),
    "axis": (_array(P, lambda a: a[None]), "has shape (1, 59)"),
    "dtype": (_array(P, lambda a: a.astype("f4")), "dtype float32"),
    "byte order": (_array(P, lambda a: a.astype(">f8")), "dtype >f8"),
    "nan": (_array(P, _with(np.nan)), "by_hand.params is not finite"),
    "inf": (_array("by_hand.moments", _with(-np.inf)), "by_hand.moments is not finite"),
    "moments": (_array("by_hand.moments", lambda a: a[:1]), "by_hand.moments has shape (1, 59)"),
    "count": (_array("by_hand.count", lambda a: a * 1.0), "by_hand.count has shape () and dtype"),
    "losses": (_array("losses", lambda a: a[1:]), "losses has shape (2, 1)"),
    "scale": (_array("scale.mean", lambda a: a[1:]), "scale.mean has shape (3,)"),
    "sd": (_array("scale.sd", _with(0.0)), "scale.sd is not positive"),
    "tiny sd": (_array("scale.sd", _with(1e-320)), "scale is of a size that no column has"),
    "huge mean": (_array("target.mean", _with(-1e300)), "target is of a size that no column has"),
    "target": (_array("target.sd", _with(np.nan)), "target.sd is not finite"),
    "missing": (_without(P), f"{P} is missing"),
    "missing losses": (_without("losses"), "losses is missing"),
    "missing plan": (_without("plan"), "header: object missing required field `plan`"),
    "missing done": (_without("done"), "header: object missing required field `done`"),
    "extra": (_array("by_hand.more", lambda _: np.zeros(3)), "'by_hand.more' is unknown"),
    "huge": (_array(P, lambda _: np.zeros(10**6)), "by_hand.params has 8000128 bytes"),
    "huge and extra": (_array("bomb", lambda _: np.zeros(10**6)), "'bomb' is unknown"),
    "ran away": (_array(P, _with(1e300)), "by_hand.params has run away"),
    "negative count": (_array("by_hand.count", lambda a: -a), "by_hand.count is -12"),
    "negative mean of squares": (_array("by_hand.moments", _with(-1.0)), "squares is negative"),
    "other side": (_header(by=["autodiff"]), "autodiff.count is missing"),
    "side": (_header(by=["by_foot"]), "by is ['by_foot']"),
    "no side": (_header(by=[]), "by is []"),
    "sides in an object": (_header(by={"by_hand": 1}), "by: expected `array`"),
    "one side twice": (_header(by=["by_hand", "by_hand"]), "by is ['by_hand', 'by_hand']"),
    "version in words": (_header(version="1\x1b[2J"), r"version '1\x1b[2J'; expected 1"),
    "version that is true": (_header(version=True), "version True; expected 1"),
    "activation": (_header(plan__network__activation="tahn"), "activation: got 'tahn'"),
    "loss": (_header(plan__network__loss="hubert"), "hubert"),
    "optimiser": (_header(plan__optimiser="adamant"), "adamant"),
    "format": (_header(plan__dtype="float16"), "float16"),
    "sizes": (_header(plan__network__sizes=[4, 7, 4]), "4 outputs"),
    "sizes in words": (_header(plan__network__sizes="473"), 'sizes is "473"; expected `array`'),
    "size in words": (_header(plan__network__sizes=["4", 7, 3]), 'sizes[0] is "4"; expected `int`'),
    "half a unit": (_header(plan__network__sizes=[4, 7.5, 3]), "sizes[1] is 7.5; expected `int`"),
    "too many units": (_header(plan__network__sizes=[4, 10**8, 3]), "sizes is [4, 100000000, 3]"),
    "no sizes": (_header(plan__network__sizes=[4]), "sizes"),
    "inputs": (_header(plan__network__sizes=[3, 7, 3]), "4 features for 3 inputs"),
    "word in plan": (_header(plan__momentum=1), "momentum"),
    "word in source": (_header(source__color=1), "color"),
    "lines": (_header(**{"plan__a\nb": 1}), r"header.plan: 'a\nb' is missing or unknown"),
    "plan is a list": (_header(plan=[1]), ""),
    "plan is null": (_header(plan=None), ""),
    "source is text": (_header(source="iris"), ""),
    "name": (_header(source__name=7), "name is 7"),
    "features in numbers": (_header(source__features=[1, 2, 3, 4]), "features[0] is 1; expected"),
    "a feature twice": (_header(source__features=["a", "a", "b", "c"]), "features is ['a', 'a'"),
    "features": (_header(source__features=["a", "b"]), "2 features for 4 inputs"),
    "classes": (_header(source__classes=["a"]), "3 outputs"),
    "a class twice": (_header(source__classes=["a", "a", "b"]), "classes is ['a', 'a', 'b']"),
    "number": (_header(source__kind="number"), "kind number"),
    "rate": (_header(plan__learning_rate=-1), "learning_rate is -1"),
    "rate in words": (_header(plan__learning_rate="fast"), 'learning_rate is "fast"; exp'),
    "rate that is true": (_header(plan__learning_rate=True), "learning_rate is true; expected"),
    "rate that is none": (_header(plan__learning_rate=float("nan")), "learning_rate is NaN; exp"),
    "decay": (_header(plan__network__l2=1e308), "l2 is 1e+308"),
    "batch": (_header(plan__batch=0), "batch is 0"),
    "batch that is true": (_header(plan__batch=True), "batch is true; expected `int`"),
    "seed": (_header(plan__seed=-1), "seed is -1"),
    "fraction": (_header(test_fraction=7), "test_fraction is 7"),
    "done": (_header(done=4), "epochs 3, of which 4 are done"),
    "part of an epoch": (_header(epochs=3.7), "epochs is 3.7"),
    "for ever": (_header(epochs=10**12), "epochs is 1000000000000"),
    "infinitely many": (_header(done=float("inf")), "done is Infinity; expected `int`"),
    "divergence": (_header(first_divergence={"update": 1}), "missing required field `parameter`"),
    "no divergence": (_header(first_divergence={}), "missing required field `update`"),
    "part of a divergence": (
        _header(first_divergence=DIVERGENCE | {"off": "nobody"}),
        "first_divergence.off is 'nobody'",
    ),
    "quantity of a divergence": (
        _header(first_divergence=DIVERGENCE | {"quantity": "gradients"}),
        "first_divergence.quantity is 'gradients'",
    ),
    "missing activation": (
        lambda header, _: header["plan"]["network"].pop("activation"),
        "header.plan.network: 'activation' is missing or unknown",
    ),
    "huge rate": (_header(plan__learning_rate=10**30), "plan.learning_rate is 1000000000"),
    "rate of another format": (
        _header(plan__dtype="float32", plan__learning_rate=1e300),
        "learning_rate 1e+300 in float32",
    ),
    "divergence of one": (_header(first_divergence=DIVERGENCE), "(a divergence of one side)"),
}


def changed(good: bytes, change: Callable[[Any, Any], None]) -> bytes:
    with np.load(io.BytesIO(good)) as archive:
        arrays = {name: archive[name] for name in archive.files}
    header = json.loads(str(arrays.pop("header")))
    change(header, arrays)
    return _npz(header=np.array(json.dumps(header)), **arrays)


@pytest.mark.parametrize("what", CONTRADICTIONS)
def test_contradictions(tmp_path: Path, good: bytes, what: str) -> None:
    change, expected = CONTRADICTIONS[what]
    assert expected in refused_by_all(tmp_path / "changed.npz", changed(good, change))


def test_nothing_changed(tmp_path: Path, good: bytes) -> None:
    """So it is the changes that are refused."""
    path = tmp_path / "same.npz"
    path.write_bytes(changed(good, lambda header, arrays: None))
    assert load(path).epochs == 3


def read_or_refused(path: Path) -> Model | None:
    """What is in a file, or None if it is refused in one line; nothing else may happen."""
    try:
        return load(path)
    except InputError as error:
        if "\n" in str(error):
            raise AssertionError("more than one line") from error
        return None


@pytest.mark.slow
@fewer(1)  # three milliseconds each
@given(st.data())
def test_flipped_bytes(tmp_path_factory: pytest.TempPathFactory, good: bytes, data: Any) -> None:
    """A file that still can be read says what it said before."""
    places = st.tuples(st.integers(0, len(good) - 1), st.integers(1, 255))
    content = bytearray(good)
    for at, by in data.draw(st.lists(places, min_size=1, max_size=5)):
        content[at] ^= by
    folder = tmp_path_factory.getbasetemp()
    path, again, whole = folder / "flipped.npz", folder / "again.npz", folder / "whole.npz"
    path.write_bytes(content)
    model = read_or_refused(path)
    if model is None:
        return
    save(model, again)
    whole.write_bytes(good)
    assert arrays(again) == arrays(whole)


TRAIN = ("train", "--data", "iris", "--by", "hand", "--epochs", 1, "--json", "--out")


@pytest.mark.parametrize("what", ["model", "foreign", "cut", "empty"])
def test_train_leaves_what_is_there(tmp_path: Path, good: bytes, what: str) -> None:
    path = tmp_path / "there.npz"
    content = {"model": good, "foreign": _npz(a=1), "cut": good[:999], "empty": b""}[what]
    path.write_bytes(content)
    assert "is there already; expected a new file for --out, or --overwrite" in refused(
        *TRAIN, path
    )
    assert path.read_bytes() == content
    assert compare(*TRAIN, path, "--overwrite").code == 0
    assert load(path).epochs == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.npz"
    assert compare(*TRAIN, path).code == 0
    content = path.read_bytes()

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("compare.networks.files.os.fsync", full)
    assert f"No space left on device: '{path}'" in refused("resume", path, "--epochs", 2)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


ROWS = [f"{i % 7}.5,{i * i % 11},{'yes' if i % 3 else 'no'}" for i in range(30)]


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (lambda rows: [*rows[:4], rows[4].replace(".5", ".6"), *rows[5:]], False),
        (lambda rows: rows[:-1], False),
        (lambda rows: [*rows[:5], rows[5].replace("yes", "no"), *rows[6:]], False),
        (lambda rows: rows[::-1], False),
        (lambda rows: [row.replace(".5", ".50") for row in rows], True),
    ],
)
def test_data_that_have_changed(
    tmp_path: Path, change: Callable[[list[str]], list[str]], same: bool
) -> None:
    table, path = tmp_path / "own.csv", tmp_path / "own.npz"
    table.write_text("\n".join(["a,b,c", *ROWS]))
    words = ("train", "--data", table, "--target", "c", "--by", "hand", "--epochs", 2)
    assert compare(*words, "--json", "--out", path).code == 0
    content = path.read_bytes()
    rows = change(ROWS)
    assert rows != ROWS
    table.write_text("\n".join(["a,b,c", *rows]))
    if same:
        assert compare("resume", path, "--epochs", 3, "--json").code == 0
        return
    reason = refused("resume", path)
    assert f"{table}: the data are not those that the training began with" in reason
    assert path.read_bytes() == content
    table.unlink()
    assert str(table) in refused("resume", path)
    assert compare("predict", "--model", path, "a=1", "b=2", "--json").code == 0


def test_a_network_that_does_not_fit_its_data(tmp_path: Path) -> None:
    path = tmp_path / "changed.npz"
    save(trained(data="diabetes", sizes=(10, 3, 1), loss="mse"), path)
    path.write_bytes(changed(path.read_bytes(), _header(plan__network__loss="bce")))
    reason = refused("resume", path)
    assert reason.startswith(f"{path}: loss bce is for classes; expected mse or huber")


def test_a_count_that_does_not_fit_the_epochs(tmp_path: Path, good: bytes) -> None:
    path = tmp_path / "changed.npz"
    path.write_bytes(changed(good, _array("by_hand.count", lambda a: a + 87)))
    reason = "by_hand.count is 99 after 3 epochs; expected 12 updates"
    assert refused("resume", path) == f"{path}: {reason}."
