"""`FILE.py:name` and `package.module:name`."""

import pickle
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from handgrad.commands.loading import Loader, LoadingError, Location, parse


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty current directory; what is imported from it is forgotten."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("text", "source", "found"),
    [
        ("mine.py:gradient", None, ("mine.py", "gradient")),
        ("a/b.py:Model.loss", None, ("a/b.py", "Model.loss")),
        ("C:\\a\\b.py:loss", None, ("C:\\a\\b.py", "loss")),
        (":loss", "mine.py", ("mine.py", "loss")),
        ("loss", "mine.py", ("mine.py", "loss")),
    ],
)
def test_the_forms(text: str, source: str | None, found: tuple[str, str]) -> None:
    assert parse(text, "gradient", source) == found


@pytest.mark.parametrize(
    ("text", "source"),
    [("gradient", None), ("mine.py", "other.py"), ("a/b", "other.py"), ("mine.py:", None),
     ("mine.py:a..b", None), (":x", None), ("", "a.py")],
)  # fmt: skip
def test_other_forms(text: str, source: str | None) -> None:
    with pytest.raises(LoadingError) as error:
        parse(text, "loss", source)
    assert str(error.value) == f"{text!r}; expected FILE.py:loss or package.module:loss"


def test_a_file_is_imported_once_with_its_folder_on_the_path(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "helper_of_mine.py").write_text("two = 2")
    (folder / "sub" / "mine.py").write_text(
        "import helper_of_mine\nclass A:\n  class B:\n    x = helper_of_mine.two\ny = object()"
    )
    loader = Loader()
    assert loader.load(Location("sub/mine.py", "A.B.x")) == 2
    assert loader.load(Location("sub/mine.py", "y")) is loader.load(Location("sub/mine.py", "y"))
    assert loader.named == [folder / "sub" / "mine.py"]


def test_two_files_of_one_name_do_not_meet(folder: Path) -> None:
    """Nor does a file meet a module that has its name."""
    for name in ("a", "b"):
        (folder / name).mkdir()
        (folder / name / "json.py").write_text(f"here = {name!r}\nclass C: pass")
    loader = Loader()
    assert [loader.load(Location(f"{name}/json.py", "here")) for name in "ab"] == ["a", "b"]
    assert sys.modules["json"].__file__ != str(folder / "a" / "json.py")
    assert "json" not in {type(loader.load(Location("a/json.py", "C"))).__module__}


def test_its_classes_can_be_pickled(folder: Path) -> None:
    """They can where their module is registered under its name; dataclasses ask for it as well."""
    (folder / "mine.py").write_text(
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "@dataclass\nclass Layer:\n    w: float\nlayer = Layer(1.0)"
    )
    layer = Loader().load(Location("mine.py", "layer"))
    assert pickle.loads(pickle.dumps(layer)) == layer


def test_a_module_is_found_from_the_current_directory(folder: Path) -> None:
    (folder / "package_of_mine").mkdir()
    (folder / "package_of_mine" / "__init__.py").write_text("")
    (folder / "package_of_mine" / "part.py").write_text("from . import __name__ as name")
    loader = Loader()
    assert loader.load(Location("package_of_mine.part", "name")) == "package_of_mine"
    assert loader.named == [folder / "package_of_mine"]


#: Longer than any file system takes.
LONG = "9" * 300


@pytest.mark.parametrize(
    ("source", "name", "message"),
    [
        ("mine.py", "los", "mine.py has no 'los'; did you mean 'loss'?"),
        ("mine.py", "qqqq", "mine.py has no 'qqqq'; it has gradient, loss, Model"),
        ("mine.py", "sys", None),
        ("min.py", "loss", "no such file: min.py; did you mean 'mine.py'?"),
        pytest.param(LONG, "loss", f"no module named '{LONG}'", id="a long name"),
        pytest.param(f"{LONG}.py", "loss", f"{LONG}.py: File name too long; exp", id="a long file"),
        ("folder.py", "loss", "folder.py is a folder; expected a Python file in it: FILE.py:name"),
        ("notes.txt", "loss", "notes.txt is not Python; expected a file whose name ends in .py"),
        ("image.py", "loss", "image.py raised SyntaxError when imported"),
        ("plain", "loss", "plain is a folder; expected a Python file in it: FILE.py:name"),
        ("no_such_module.x", "loss", "no module named 'no_such_module'; expected FILE.py or"),
        ("broken.py", "loss", "broken.py raised ZeroDivisionError when imported"),
        ("leaves.py", "loss", "leaves.py raised SystemExit when imported"),
        ("package_of_mine.lacks", "x", "package_of_mine.lacks raised ModuleNotFoundError when"),
    ],
)
def test_what_cannot_be_found(folder: Path, source: str, name: str, message: str | None) -> None:
    """One line that says what, and the nearest or what was expected."""
    (folder / "mine.py").write_text(
        "import sys\n_hidden = 1\ndef gradient(): pass\ndef loss(): pass\nclass Model:\n  loss = 1"
    )
    (folder / "folder.py").mkdir()
    (folder / "notes.txt").write_text("a word\n")
    (folder / "image.py").write_bytes(b"\x89PNG\r\n\x1a\n\x00")
    (folder / "plain").mkdir()
    (folder / "broken.py").write_text("1 / 0")
    (folder / "leaves.py").write_text("import sys; sys.exit(0)")
    (folder / "package_of_mine").mkdir()
    (folder / "package_of_mine" / "__init__.py").write_text("")
    (folder / "package_of_mine" / "lacks.py").write_text("import surely_not_installed")
    if message is None:  # a module is not suggested, and is found if it is meant
        assert Loader().load(Location(source, name)) is sys
        return
    with pytest.raises(LoadingError) as error:
        Loader().load(Location(source, name))
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)
    assert (error.value.__cause__ is not None) == ("raised" in message)


def test_a_stop_while_importing_is_a_stop(folder: Path) -> None:
    (folder / "slow.py").write_text("raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        Loader().load(Location("slow.py", "loss"))
    assert not [name for name in sys.modules if name.startswith("slow")]
