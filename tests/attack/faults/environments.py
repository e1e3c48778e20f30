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
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from tests.attack.cases import ROOT, Case, require
from tests.attack.processes import MODULE, PATIENCE, Ended, ended, environment, folder, module

#: Commands that print much, or need something of the machine.
COMMANDS = {
    "run": "compare run --epochs 3",
    "break": "compare break",
    "prove": "compare prove --network 2-1",
    "train": "compare train --data iris --by hand --epochs 2 --plot loss.svg --out model.npz",
    "sweep": "compare sweep --cases 100",
    "plot": "compare plot exam exam.png",
    "check": "handgrad check {module}:gradient --loss loss --like example --points 1",
    "study": "study --out page.html",
    "bench": "benchmarks --case sample --contender hand-numpy --rounds 2 --processes 1",
    "bench table": "benchmarks table {root}/benchmarks/results/cpu.json",
}

#: What is changed in the environment; None removes it.
VARIABLES: dict[str, dict[str, str | None]] = {
    "a locale that is not UTF-8": {
        "LC_ALL": "C",
        "LANG": None,
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
    },
    "latin-1": {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"},
    "no HOME": {"HOME": None, "USER": None, "XDG_CACHE_HOME": None, "XDG_CONFIG_HOME": None},
    "a HOME that is not there": {"HOME": "/nonexistent/home"},
    "a terminal of no kind": {"TERM": "dumb", "COLUMNS": "1", "LINES": "1"},
    "warnings are errors": {"PYTHONWARNINGS": "error"},
}


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
        ("prove", "plot", "break", "train"),
        ("run", "check", "sweep", "bench table"),
    ),
    "a broken JAX": (("prove", "plot", "break"), ("run", "check")),
    "a broken plug-in": (("run", "check", "sweep"), ()),
}


def _words(command: str, here: Path) -> list[str]:
    path = here / "module.py"
    path.write_text(MODULE)
    return module(*shlex.split(COMMANDS[command].format(module=path, root=ROOT)))


def _run(command: str, here: Path, **changes: str | None) -> Ended:
    """Run a command under changed environment variables."""
    return ended(_words(command, here), here, env=environment(**changes))


def variables(name: str, command: str) -> str:
    """A command under other environment variables."""
    with folder() as here:
        return f"{len(_run(command, here, **VARIABLES[name]).clean(0).out)} characters"


def terminal(command: str) -> str:
    """A command on a terminal of one column and one row."""
    with folder() as here:
        main, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 1, 1, 0, 0))
        settings: dict[str, Any] = {"stdin": other, "stdout": other, "stderr": other, "cwd": here}
        settings["env"] = environment(TERM="xterm")
        with subprocess.Popen(_words(command, here), **settings) as process:
            os.close(other)
            printed = b""
            try:
                while True:
                    printed += os.read(main, 65536)
            except OSError:  # how Linux says that the other end is closed
                pass
            process.wait(PATIENCE)
        os.close(main)
        Ended(process.returncode, "", printed.decode("utf-8", "replace")).clean(0)
        return f"{len(printed)} bytes"


def stream(redirection: str, command: str) -> str:
    """A command whose streams are closed or full."""
    with folder() as here:
        piped = "; exit ${PIPESTATUS[0]}" if redirection.startswith("|") else ""
        script = f"{shlex.join(_words(command, here))} {redirection}{piped}"
        found = ended(["bash", "-c", script], here).clean(*STREAMS[redirection])
        return f"ended with {found.code}; {found.err.strip()[-100:]}"


def stubbed(stub: str, command: str, works: bool) -> str:
    """A command where JAX, or a part of it, cannot be imported."""
    with folder() as here:
        for name, text in STUBS[stub].items():
            (here / "stub" / name).parent.mkdir(parents=True)
            (here / "stub" / name).write_text(text)
        changes: dict[str, str | None] = {"JAX_PLATFORMS": None} if "plug" in stub else {}
        path = os.pathsep.join([str(here / "stub"), str(ROOT)])
        found = _run(command, here, PYTHONPATH=path, **changes)
        # JAX logs that a plug-in is broken, and that ends with the plug-in's error.
        _, _, after = found.err.partition("RuntimeError: no driver")
        found = replace(found, err=after or found.err).clean(0 if works else 2)
        if not works:
            # `check` shows the caller's own lines below.
            errors = found.err.splitlines()[: 1 if command == "check" else None]
            require(len(errors) == 1 and "jax" in found.err.lower(), found.err[-400:])
        return found.err.strip()[-150:]


def platform(name: str, command: str) -> str:
    """A command where JAX is told to use a device that is not there."""
    with folder() as here:
        return _run(command, here, JAX_PLATFORMS=name).clean(2).err.strip()[-200:]


#: Before each script.
PRELUDE = (
    MODULE
    + """

import os, sys, threading, warnings
import jax
from handgrad import check_gradient, exact_gradient


def holds(**options):
    return check_gradient(gradient, loss, *example, **options).verdict == "agree"


def catches(factor, **options):
    wrong = check_gradient(lambda w, x: factor * gradient(w, x), loss, *example, **options)
    return wrong.verdict == "disagree"
"""
)

#: Scripts of their own.
SCRIPTS = {
    "fork after JAX": """
assert holds()
warnings.simplefilter("ignore")  # Python and JAX warn, rightly
child = os.fork()
if not child:
    os._exit(0 if holds(points=1) and catches(1.5, points=1) else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, "the child is wrong"
""",
    "two threads that judge": """
def hard(w, x):
    return jnp.sum(jnp.exp(20 * jnp.cos(w)) - jnp.exp(20 * jnp.cos(w + 1e-9))) + 0 * jnp.sum(x)

alone = {f: str(exact_gradient(f, *example)) for f in (loss, hard)}
problems = []

def judge(f):
    try:
        for _ in range(12):
            if str(exact_gradient(f, *example)) != alone[f]:
                problems.append(f"another enclosure of {f.__name__}")
            if not (holds(points=1) and catches(1 + 1e-9, points=1)):
                problems.append("a wrong verdict")
    except BaseException as error:
        problems.append(repr(error))

threads = [threading.Thread(target=judge, args=(f,)) for f in (loss, hard, loss)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not problems, problems[:3]
""",
    "judged inside a thread alone": """
found = []
thread = threading.Thread(target=lambda: found.append(holds()))
thread.start(); thread.join()
assert found == [True]
""",
    "another precision of the ball library's context": """
import flint
flint.ctx.prec = 10
assert catches(1 + 1e-9) and holds()
assert flint.ctx.prec == 10
""",
    "a recursion limit of 200 frames more": """
sys.setrecursionlimit(400)
assert holds()
""",
    "floating-point errors raise": """
with np.errstate(all="raise"):
    assert holds()
""",
    "64 bits are on, and warnings are errors": """
jax.config.update("jax_enable_x64", True)
warnings.simplefilter("error")
assert holds()
""",
}


def script(name: str) -> str:
    """A script in a process of its own."""
    with folder() as here:
        (here / "script.py").write_text(PRELUDE + SCRIPTS[name])
        found = ended([sys.executable, here / "script.py"], here).clean(0)
        return found.err.strip()[-150:]


def table() -> Mapping[str, Case]:
    """Every environment by its name."""
    cases: dict[str, Case] = {}
    for command in COMMANDS:
        for name in VARIABLES:
            cases[f"{name}: {command}"] = partial(variables, name, command)
        cases[f"a terminal of one column: {command}"] = partial(terminal, command)
    for command in ("run", "break", "check", "bench", "bench table", "study", "sweep"):
        for redirection in STREAMS:
            name = f"closed or full streams: {command} {redirection}"
            cases[name] = partial(stream, redirection, command)
    for stub, (working, failing) in WORKS.items():
        for command in (*working, *failing):
            cases[f"{stub}: {command}"] = partial(stubbed, stub, command, command in working)
    for device in ("cuda", "nonsense"):
        for command in ("run", "check"):
            name = f"JAX on a device that is not there: {device}, {command}"
            cases[name] = partial(platform, device, command)
    for name in SCRIPTS:
        cases[f"in one process: {name}"] = partial(script, name)
    return cases
