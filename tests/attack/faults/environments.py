"""Broken environments: no home, a tiny terminal, closed pipes, no JAX, forks and threads."""

import fcntl
import os
import pty
import shlex
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tests.attack.cases import Case, require
from tests.attack.faults.runs import PATIENCE, ended, folder, no_traceback
from tests.attack.measured import ROOT

_CHECK = "handgrad check {module}:gradient --loss loss --like example --points 1"

#: Commands that print much, or need something of the machine.
COMMANDS = {
    "run": "compare run --epochs 3",
    "step": "compare step",
    "break": "compare break",
    "prove": "compare prove --network 2-1",
    "train": "compare train --data iris --by hand --epochs 2 --plot loss.svg --out model.npz",
    "sweep": "compare sweep --cases 100",
    "plot": "compare plot exam exam.png",
    "check": _CHECK,
    "study": "study --out page.html",
    "bench table": "benchmarks table {root}/benchmarks/results/cpu.json",
}

MODULE = """import jax.numpy as jnp
import numpy as np


def loss(w, x):
    return jnp.sum(jnp.tanh(x @ w) ** 2)


def gradient(w, x):
    a = np.tanh(x @ w)
    return 2 * x.T @ (a * (1 - a**2))


example = (np.array([0.1, -0.2]), np.arange(6.0).reshape(3, 2))
"""

_ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

#: What is changed in the environment; None removes it.
VARIABLES: dict[str, dict[str, str | None]] = {
    "a locale that is not UTF-8": {**_ASCII, "LANG": None},
    "latin-1": {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"},
    "no HOME": {"HOME": None, "USER": None, "XDG_CACHE_HOME": None, "XDG_CONFIG_HOME": None},
    "a HOME that is not there": {"HOME": "/nonexistent/home"},
    "a terminal of no kind": {"TERM": "dumb", "COLUMNS": "1", "LINES": "1"},
    "warnings are errors": {"PYTHONWARNINGS": "error"},
}


def _words(command: str, here: Path) -> list[str]:
    module = here / "module.py"
    module.write_text(MODULE)
    return shlex.split(COMMANDS[command].format(module=module, root=ROOT))


def _environment(**changes: str | None) -> dict[str, str]:
    found = os.environ | {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"} | changes
    return {name: value for name, value in found.items() if value is not None}


def variables(name: str, command: str) -> str:
    """A command under other environment variables."""
    with folder() as here:
        found = ended(*_words(command, here), cwd=here, env=_environment(**VARIABLES[name]))
        no_traceback(found, 0)
        return f"{len(found.out)} characters"


def terminal(command: str) -> str:
    """A command on a terminal of one column and one row."""
    with folder() as here:
        main, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 1, 1, 0, 0))
        os.write(main, b"\n" * 200)  # `step` waits for a key after each step
        words = [sys.executable, "-m", *_words(command, here)]
        settings: dict[str, Any] = {"stdin": other, "stdout": other, "stderr": other, "cwd": here}
        with subprocess.Popen(words, env=_environment(TERM="xterm"), **settings) as process:
            os.close(other)
            printed = b""
            while True:
                try:
                    if not (some := os.read(main, 65536)):
                        break
                except OSError:  # how Linux says that the other end is closed
                    break
                printed += some
            process.wait(PATIENCE)
        os.close(main)
        require(b"Traceback" not in printed, printed[-500:].decode("utf-8", "replace"))
        require(process.returncode == 0, f"ended with {process.returncode}")
        return f"{len(printed)} bytes"


#: Shells' redirections after a command, and the exit codes that are right.
STREAMS = {
    "| head -1": (0,),
    "| true": (0,),
    "<&-": (0,),
    ">&-": (0,),
    "2>&-": (0,),
    ">/dev/full": (2, 70),
    ">/dev/full 2>&1": (1, 2, 70, 120),
}


def stream(redirection: str, command: str) -> str:
    """A command whose streams are closed or full."""
    with folder() as here:
        words = shlex.join([sys.executable, "-m", *_words(command, here)])
        piped = "; exit ${PIPESTATUS[0]}" if redirection.startswith("|") else ""
        script = f"{words} {redirection}{piped}"
        found = subprocess.run(
            ["bash", "-c", script],
            cwd=here,
            env=_environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        require("Traceback" not in found.stderr, found.stderr[-500:])
        require("Exception ignored" not in found.stderr, found.stderr[-500:])
        expected = STREAMS[redirection]
        require(
            found.returncode in expected, f"ended with {found.returncode}: {found.stderr[-300:]}"
        )
        return f"ended with {found.returncode}; {found.stderr.strip()[-100:]}"


#: Folders first on the path: a JAX that is not there, and a plug-in that cannot start.
STUBS = {
    "no JAX": {
        "jax/__init__.py": "raise ModuleNotFoundError(\"No module named 'jax'\", name='jax')"
    },
    "a broken JAX": {"jax/__init__.py": "raise ImportError('libdevice.so: cannot open')"},
    "a broken plug-in": {
        "jax_plugins/broken/__init__.py": "def initialize(): raise RuntimeError('no driver')"
    },
}

#: By stub: what must work all the same, and what must say in one line why it does not.
WORKS = {
    "no JAX": (
        ("prove", "plot", "break", "bench table"),
        ("run", "step", "train", "check", "sweep"),
    ),
    "a broken JAX": (("prove", "plot", "break"), ("run", "check")),
    "a broken plug-in": (("run", "check", "sweep"), ()),
}


def stubbed(stub: str, command: str, works: bool) -> str:
    """A command where JAX, or a part of it, cannot be imported."""
    with folder() as here:
        for name, text in STUBS[stub].items():
            (here / "stub" / name).parent.mkdir(parents=True)
            (here / "stub" / name).write_text(text)
        path = os.pathsep.join([str(here / "stub"), str(ROOT)])
        changes = {"PYTHONPATH": path} | ({"JAX_PLATFORMS": None} if "plug" in stub else {})
        found = ended(*_words(command, here), cwd=here, env=_environment(**changes))
        no_traceback(found, 0 if works else 2)
        if not works:
            errors = found.err.splitlines()
            require(len(errors) == 1 and "jax" in errors[0].lower(), found.err[-400:])
        return found.err.strip()[-150:]


def platform(name: str, command: str) -> str:
    """A command where JAX is told to use a device that is not there."""
    with folder() as here:
        found = ended(*_words(command, here), cwd=here, env=_environment(JAX_PLATFORMS=name))
        no_traceback(found, 2)
        return found.err.strip()[-200:]


#: Scripts of their own, each of which prints `held`.
SCRIPTS = {
    "fork after JAX": """
import os, warnings
from handgrad import check_gradient
assert check_gradient(gradient, loss, *example, points=1).passes
warnings.simplefilter("ignore")  # Python and JAX warn, rightly
child = os.fork()
if not child:
    right = check_gradient(gradient, loss, *example, points=1)
    wrong = check_gradient(lambda w, x: 1.5 * gradient(w, x), loss, *example, points=1)
    os._exit(0 if right.verdict == "agree" and wrong.verdict == "disagree" else 1)
print("held" if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0 else "the child is wrong")
""",
    "two threads that judge": """
import threading
from handgrad import check_gradient, exact_gradient

def hard(w, x):
    return jnp.sum(jnp.exp(20 * jnp.cos(w)) - jnp.exp(20 * jnp.cos(w + 1e-9))) + 0 * jnp.sum(x)

def off(w, x):
    return gradient(w, x) * (1 + 1e-9)

alone = [str(exact_gradient(f, *example)) for f in (loss, hard)]
problems = []

def judge(which):
    try:
        for _ in range(12):
            f = (loss, hard)[which]
            if str(exact_gradient(f, *example)) != alone[which]:
                problems.append(f"another enclosure of {f.__name__}")
            right = check_gradient(gradient, loss, *example, points=1)
            wrong = check_gradient(off, loss, *example, points=1)
            if (right.verdict, wrong.verdict) != ("agree", "disagree"):
                problems.append(f"{right.verdict}, {wrong.verdict}")
    except BaseException as error:
        problems.append(repr(error))

threads = [threading.Thread(target=judge, args=(which,)) for which in (0, 1, 0)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print("held" if not problems else problems[:3])
""",
    "judged inside a thread alone": """
import threading
from handgrad import check_gradient
found = []
thread = threading.Thread(target=lambda: found.append(check_gradient(gradient, loss, *example)))
thread.start(); thread.join()
print("held" if found and found[0].passes else found)
""",
    "another precision of the ball library's context": """
import flint
from handgrad import check_gradient
flint.ctx.prec = 10
wrong = check_gradient(lambda w, x: gradient(w, x) * (1 + 1e-9), loss, *example)
right = check_gradient(gradient, loss, *example)
kept = flint.ctx.prec == 10
print("held" if (right.passes, wrong.passes, kept) == (True, False, True) else (right, wrong, kept))
""",
    "a recursion limit of 200 frames more": """
import sys
from handgrad import check_gradient
sys.setrecursionlimit(400)
print("held" if check_gradient(gradient, loss, *example).passes else "wrong")
""",
    "floating-point errors raise": """
from handgrad import check_gradient
with np.errstate(all="raise"):
    print("held" if check_gradient(gradient, loss, *example).passes else "wrong")
""",
    "64 bits are on, and warnings are errors": """
import warnings
import jax
from handgrad import check_gradient
jax.config.update("jax_enable_x64", True)
warnings.simplefilter("error")
print("held" if check_gradient(gradient, loss, *example).passes else "wrong")
""",
}


def script(name: str) -> str:
    """A script in a process of its own."""
    with folder() as here:
        (here / "script.py").write_text(MODULE + SCRIPTS[name])
        command = [sys.executable, str(here / "script.py")]
        found = subprocess.run(
            command,
            cwd=here,
            env=_environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        require(
            found.stdout == "held\n", f"{found.returncode} {found.stdout} {found.stderr[-600:]}"
        )
        return found.stderr.strip()[-150:]


def table() -> Mapping[str, Case]:
    """Every environment by its name."""
    cases: dict[str, Case] = {}
    for name in VARIABLES:
        for command in COMMANDS:
            cases[f"{name}: {command}"] = partial(variables, name, command)
    for command in COMMANDS:
        cases[f"a terminal of one column: {command}"] = partial(terminal, command)
    for redirection in STREAMS:
        for command in ("run", "step", "break", "check", "bench table", "study", "sweep"):
            cases[f"closed or full streams: {command} {redirection}"] = partial(
                stream, redirection, command
            )
    for stub, (working, failing) in WORKS.items():
        for command in (*working, *failing):
            cases[f"{stub}: {command}"] = partial(stubbed, stub, command, command in working)
    for device in ("cuda", "nonsense"):
        for command in ("run", "check"):
            cases[f"JAX on a device that is not there: {device}, {command}"] = partial(
                platform, device, command
            )
    for name in SCRIPTS:
        cases[f"in one process: {name}"] = partial(script, name)
    return cases
