"""Trainings that are killed at any moment and go on: in the end, the bits of one left alone."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.compare.networks.calls import arrays, compare, signalled, started

EPOCHS = 12


def words(out: Path, by: str, epochs: int) -> list[Any]:
    given = ["train", "--data", "iris", "--network", "4-7-3", "--by", by, "--epochs", epochs]
    return [*given, "--seed", 3, "--checkpoint-every", 0, "--out", out]


def done(path: Path) -> int:
    with np.load(path) as archive:
        return len(archive["losses"])


@pytest.mark.slow
@pytest.mark.parametrize(("by", "moments"), [("both", [7]), ("hand", [3, 5])])
def test_killed_and_resumed(tmp_path: Path, by: str, moments: list[int]) -> None:
    """Killed after so many epochs, once more after it was resumed, and resumed to the end."""
    alone, killed = tmp_path / "alone.npz", tmp_path / "killed.npz"
    assert compare(*words(alone, by, EPOCHS), "--json").code == 0
    call, reached = words(killed, by, EPOCHS), 0
    for moment in moments:
        with signalled(signal.SIGKILL, moment, *call) as process:
            assert process.communicate()[1] == ""
        assert process.returncode == -signal.SIGKILL
        assert reached < done(killed) < EPOCHS
        reached = done(killed)
        call = ["resume", killed, "--checkpoint-every", 0]
    ended = compare(*call, "--json")
    assert (ended.code, ended.err) == (0, "")
    assert arrays(killed) == arrays(alone)


def test_killed_before_the_first_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "early.npz"
    process = started(*words(path, "hand", 3))
    process.kill()  # at once: it has not even imported what trains
    assert process.communicate()[1] == ""
    assert process.returncode == -9
    assert not path.exists()
    assert "early.npz: No such file or directory" in compare("resume", path).err
    assert compare(*words(path, "hand", 3)).code == 0
    assert done(path) == 3


#: Runs the command line and kills itself at the n-th call of a function.
SUICIDE = """
import os, signal, sys
import compare.networks.files as files
name = sys.argv[1]
owner = {"savez": files.np, "fsync": files.os, "replace": files.Path}[name]
n = 7 if name == "fsync" else 4  # the folder is flushed as well
usual, calls = getattr(owner, name), 0
def deadly(*args, **options):
    global calls
    calls += 1
    if calls == n:
        if name == "savez":
            args[0].write(b"PK\\x03\\x04 and no more")
            args[0].flush()
        os.kill(os.getpid(), signal.SIGKILL)
    return usual(*args, **options)
setattr(owner, name, deadly)
sys.argv = ["compare", *sys.argv[2:]]
from compare.cli import main
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize("place", ["savez", "fsync", "replace"])
def test_killed_while_it_writes(tmp_path: Path, place: str) -> None:
    """The checkpoint before is there, whole; what was being written is no model's name."""
    path, alone = tmp_path / "model.npz", tmp_path / "alone.npz"
    given = map(str, words(path, "hand", 9))
    ended = subprocess.run([sys.executable, "-c", SUICIDE, place, *given], check=False)
    assert ended.returncode == -9
    assert done(path) == 2
    assert [file.name for file in tmp_path.iterdir() if not file.name.startswith(".")] == [
        "model.npz"
    ]
    (left,) = (file for file in tmp_path.iterdir() if file != path)
    content = left.read_bytes()
    assert compare("resume", path, "--json").code == 0
    assert compare(*words(alone, "hand", 9)).code == 0
    assert arrays(path) == arrays(alone)
    assert left.read_bytes() == content


def test_what_was_left_over_does_no_harm(tmp_path: Path) -> None:
    path, alone = tmp_path / "model.npz", tmp_path / "alone.npz"
    assert compare(*words(alone, "hand", 4)).code == 0
    left = {".model-abcdefgh.npz": b"", ".model-ijklmnop.npz": alone.read_bytes()[:1000]}
    left[".model-qrstuvwx.npz"] = alone.read_bytes()
    for name, content in left.items():
        (tmp_path / name).write_bytes(content)
    assert compare(*words(path, "hand", 2)).code == 0
    assert compare("resume", path, "--epochs", 4).code == 0
    assert arrays(path) == arrays(alone)
    assert {name: (tmp_path / name).read_bytes() for name in left} == left
    assert len(list(tmp_path.iterdir())) == 5
