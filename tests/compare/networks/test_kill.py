"""Trainings that are killed at any moment and go on: in the end, the bits of one left alone."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.compare.networks.calls import arrays, compare, signalled, started

EPOCHS = 60


def words(out: Path, by: str, optimiser: str, epochs: int) -> list[Any]:
    given = ["train", "--data", "iris", "--network", "4-7-3", "--by", by]
    given += ["--optimiser", optimiser, "--epochs", epochs, "--seed", 3]
    return [*given, "--checkpoint-every", 0, "--out", out]


def finish(process: subprocess.Popen[str]) -> None:
    """Wait, close the pipes, and hold against it anything but having been killed."""
    _, err = process.communicate()
    assert process.returncode in (0, -9), err
    assert err == ""


def done(path: Path) -> int:
    with np.load(path) as archive:
        return len(archive["losses"])


def disturbed(path: Path, moments: Any, by: str, optimiser: str, epochs: int) -> list[int]:
    """Train, killed after each of so many epochs; those that were done when it was killed."""
    call, reached = words(path, by, optimiser, epochs), []
    for moment in moments:
        with signalled(signal.SIGKILL, moment, *call) as process:
            assert process.communicate()[1] == ""
        assert process.returncode == -signal.SIGKILL
        reached.append(done(path))
        call = ["resume", path, "--checkpoint-every", 0]
    ended = compare(*call, "--json")
    assert (ended.code, ended.err) == (0, "")
    return reached


@pytest.mark.slow
@pytest.mark.parametrize(
    ("optimiser", "by", "times"), [("adam", "both", 1), ("momentum", "hand", 2)]
)
def test_killed_and_resumed(tmp_path: Path, optimiser: str, by: str, times: int) -> None:
    alone, killed = tmp_path / "alone.npz", tmp_path / "killed.npz"
    assert compare(*words(alone, by, optimiser, EPOCHS), "--json").code == 0
    moments = np.random.default_rng([len(optimiser), times]).integers(1, EPOCHS // times, times)
    reached = disturbed(killed, moments, by, optimiser, EPOCHS)
    assert reached == sorted(reached)
    assert moments[0] - 1 <= reached[0] <= moments[0]
    assert reached[-1] < EPOCHS
    assert arrays(killed) == arrays(alone)


def test_killed_before_the_first_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "early.npz"
    process = started(*words(path, "hand", "adam", 3))
    process.kill()  # at once: it has not even imported what trains
    finish(process)
    assert not path.exists()
    assert "early.npz: No such file or directory" in compare("resume", path).err
    assert compare(*words(path, "hand", "adam", 3)).code == 0
    assert done(path) == 3


@pytest.mark.slow
def test_killed_while_it_starts(tmp_path: Path) -> None:
    """There is no file or a whole one, at three moments before and around the first."""
    path = tmp_path / "early.npz"
    begin = time.perf_counter()
    with started(*words(path, "hand", "adam", 1)) as process:
        process.communicate()
    span = time.perf_counter() - begin
    for moment in np.random.default_rng(5).uniform(0, span, 3):
        path.unlink(missing_ok=True)
        process = started(*words(path, "hand", "adam", 1))
        time.sleep(moment)
        process.kill()
        finish(process)
        if path.exists():
            assert done(path) in (0, 1)
            assert compare("resume", path, "--json").code == 0
        else:
            assert compare(*words(path, "hand", "adam", 1)).code == 0
        assert done(path) == 1


#: Runs the command line and kills itself at the n-th call of a function.
SUICIDE = """
import os, signal, sys
import compare.networks.files as files
name = sys.argv[1]
owner = {"savez": files.np, "fsync": files.os, "chmod": files.Path, "replace": files.Path}[name]
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
@pytest.mark.parametrize("place", ["savez", "fsync", "chmod", "replace"])
def test_killed_while_it_writes(tmp_path: Path, place: str) -> None:
    """The checkpoint before is there, whole; what was being written is no model's name."""
    path, alone = tmp_path / "model.npz", tmp_path / "alone.npz"
    given = map(str, words(path, "hand", "adam", 9))
    ended = subprocess.run([sys.executable, "-c", SUICIDE, place, *given], check=False)
    assert ended.returncode == -9
    assert done(path) == 2
    assert [file.name for file in tmp_path.iterdir() if not file.name.startswith(".")] == [
        "model.npz"
    ]
    (left,) = (file for file in tmp_path.iterdir() if file != path)
    content = left.read_bytes()
    assert compare("resume", path, "--json").code == 0
    assert compare(*words(alone, "hand", "adam", 9)).code == 0
    assert arrays(path) == arrays(alone)
    assert left.read_bytes() == content


def test_what_was_left_over_does_no_harm(tmp_path: Path) -> None:
    path, alone = tmp_path / "model.npz", tmp_path / "alone.npz"
    assert compare(*words(alone, "hand", "sgd", 4)).code == 0
    left = {".model-abcdefgh.npz": b"", ".model-ijklmnop.npz": alone.read_bytes()[:1000]}
    left[".model-qrstuvwx.npz"] = alone.read_bytes()
    for name, content in left.items():
        (tmp_path / name).write_bytes(content)
    assert compare(*words(path, "hand", "sgd", 2)).code == 0
    assert compare("resume", path, "--epochs", 4).code == 0
    assert arrays(path) == arrays(alone)
    assert {name: (tmp_path / name).read_bytes() for name in left} == left
    assert len(list(tmp_path.iterdir())) == 5
