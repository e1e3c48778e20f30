"""What the project prints, stored before a change and compared with after it.

    git worktree add ../before 6031130
    python tests/stored_outputs.py ../before before.json
    python tests/stored_outputs.py . after.json
    python tests/stored_outputs.py --diff before.json after.json

Stored are exit code, standard output, standard error and files of the commands below, and reports
on gradients in every form that they can be read in. `--diff` prints what differs, entry by entry,
and ends with 1 if anything does. A capture takes about four minutes of processor time and writes
nothing into the tree, which is copied first. This file needs nothing from the tree but commands and
public names of `handgrad`: the gradients of the reports are those of commit `SUBJECTS`, whatever
has become of them since, so that what is judged stays the same, down to the numbers of lines.

Each group of commands runs in one process, since loading JAX takes longer than most of them. Its
clocks do not run: any two of their readings are `Reading.APART` from each other. So times and rates
are the same in every run, and nothing ends early because the machine is busy. Apart from this, only
the path of the copy is replaced. Both trees are run by the Python that runs this file, whose
packages are thus the same for both.
"""

import argparse
import contextlib
import difflib
import hashlib
import io
import itertools
import json
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()

#: The commit whose models are judged, where they are there, and what must not be found in the tree.
SUBJECTS = "6031130"
FOLDERS = {
    "tests/handgrad": "subjects",
    "benchmarks/checkers/subject.py": "subjects/subject.py",
}
IMPORTS = {
    "tests.handgrad": "subjects",
    "benchmarks.checkers.subject": "subjects.subject",
    "from handgrad.report import": "from handgrad import",
    "from handgrad.steps import": "from handgrad import",
    "from handgrad.referee import balls\n": "",
}

#: Files that commands are given.
FILES = {
    "mine.py": """
import math
from typing import NamedTuple
import jax.numpy as jnp
import numpy as np

print("a word while loading")


class Point(NamedTuple):
    w: object


def loss(params, x, y):
    return jnp.mean((x @ params["w"] + params["b"] - y) ** 2)


def gradient(params, x, y):
    residual = x @ params["w"] + params["b"] - y
    return {"w": 2 * x.T @ residual / len(y), "b": np.float64(2 * residual.mean())}


def halved(params, x, y):
    return {name: grad / 2 for name, grad in gradient(params, x, y).items()}


def with_value(params, x, y):
    return np.float64(loss(params, x, y)), gradient(params, x, y)


def fails(params, x, y):
    return x @ np.ones(4)


def untraceable(params, x, y):
    return math.exp(params["w"][0])


def neuron(w, x):
    return jnp.square(1 / (1 + jnp.exp(-w * x)))


def lossy(w, x):
    s = 1 / (1 + np.exp(-w * x))
    return 2 * s * s * (1 - s) * x


def jump(w, x):
    return jnp.floor(w * x)


def nothing(w, x):
    return 0 * w


def example():
    rng = np.random.default_rng(3)
    params = {"w": rng.normal(size=3), "b": np.float64(0.5)}
    return params, rng.normal(size=(5, 3)), rng.normal(size=5)


saturated = (np.float64(1.0), 31.0)
at_a_jump = (np.float64(1.0), 1.0)
number = 3
named = Point(np.ones(3))
""",
    "broken.py": "import nowhere\n",
    "params.json": '{"layers": [{"w": [[1, -1]], "b": [0, 1]}, {"w": [[0.5], [3]], "b": [0]}],'
    ' "activation": "relu", "output": "identity"}\n',
    "bad.json": '{"layers": [{"w": [[1, "a"]], "b": [0, 1]}]}\n',
    "people.csv": "height,weight,sex\n" + "168,60,F\n182,80,M\n175,70,M\n160,52,F\n" * 5,
    "missing.csv": "height,weight,sex\n168,60,F\n182,n/a,M\n175,70,M\n160,52,F\n",
    "semicolons.csv": "height;weight\n168,5;60\n182;80,25\n175;70\n160;52\n",
    "ragged.csv": "height,weight\n168,60\n182\n",
    "empty.csv": "",
    "new.csv": "weight,height,name\n60,168,Ann\n80,182,Bob\n300,100,Odd\n",
}

#: Of each group the commands, one a line, after what they begin with; `{a|b}` stands for both.
COMMANDS = {
    "compare": """
compare {|-h|nonsense|runn}
compare {run|explain|step|errata|break|sweep|replay|prove|train|resume|predict|regress|plot} --help
compare plot {|exam --help|loss --help|residuals --help|sigmoid --help|surface --help|nonsense}
compare run {|--json}
compare run --person bob --epochs 50 --seed 7 {|--json}
compare run --init ones --order shuffled --shift mean --epochs 30 --json
compare run --epochs 30 --sigmoid-derivative article --json
compare run --epochs 40 --plot loss.svg
compare run {--person eve|--epochs -1|--epochs x|--frobnicate|extra|--plot a.gif|--plot no/a.svg}
compare run {--learning-rate 0|--learning-rate 1e9|--seed 1.5|--order up|--epoch 3|--person}
compare explain {w1|w2|w3|w4|w5|w6|b1|b2|b3|h1|h2|ypred|L|dL_dypred|dh1_dz1} --person bob
compare explain {w1|b3} --json
compare explain w5 --seed 3 --sigmoid-derivative article --learning-rate 0.5
compare explain {w0.2.1|b1.0} --network 3-4-2 --activation tanh --x 1,-2,0.5 --y 0,1 {|--json}
compare explain w0.0.1 --params params.json --x 2 --y 0
compare explain {|w7|w0.9.9 --network 2-2-1|w1 --x 1|w1 --params bad.json|w1 --params none.json}
compare explain w1 {--network 2-x|--network 90-90-90|--loss l1|--l2 -1|--x 1 --y 0|--model no.npz}
compare step {|--json|--at 5|--at 19 --json|--at 99|--at 0|--person charlie --at 3}
compare step --network 3-4-2 --activation {tanh|relu|gelu} --x 1,-2,0.5 --y 0,1
compare step --network 2-3-2 --loss {bce|softmax-ce|huber} --l2 0.1 --seed 5 --x 1,2 --y 0,1 --at 9
compare errata {|--json|23|0|x|7 --json|9 --json}
compare errata {1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16|17|18|19|20|21|22}
compare plot {exam exam.svg|sigmoid sigmoid.svg|sigmoid s.png|loss l.svg --epochs 20|exam x.pdf}
compare plot surface surface.svg --x w1 --y w5 --epochs 20
compare plot surface no.svg {--x w1 --y w1|--x w9}
compare plot residuals {r.svg|b.svg --table bdims --feature hgt|c.svg --table none.csv}
compare regress {|--json|bdims|bdims --feature hgt --steps 50 --json|people.csv|semicolons.csv}
compare regress {missing.csv|ragged.csv|empty.csv|none.csv|bdims --target x|bdims --feature wgt}
compare regress --steps 3 --learning-rate 0.01 --plot residuals.svg
compare regress article {--steps 0|--steps x|--learning-rate -1}
compare predict --weight 60 --height 168 --units metric {|--json}
compare predict --weight {300|abc|-1} --height 66 --epochs 20
compare predict {|--weight 60|--weight 1 --height 2 --out o.csv|--wieght 3|word}
""",
    "networks": """
compare train --data iris --network 4-5-3 --epochs 3 --by both --out iris.npz --plot iris.svg
compare train --data davis --epochs 2 --network 2-3-1 --activation tanh --out davis.npz --json
compare train --data people.csv --target weight --epochs 2 --batch 4 --by hand --out weight.npz
compare train --data people.csv --target sex --epochs 2 --network 2-3-1 --out sex.npz
compare train --data {article|diabetes} --epochs 1 --network {|2-2-1} --json
compare train --data iris --epochs 1 --optimiser {sgd|momentum} --dtype float32 --by autodiff
compare train --data wine --epochs 1 --loss mse --l2 0.1 --activation relu --test 0.5 --raw
compare train --data {missing.csv|ragged.csv|empty.csv|none.csv|semicolons.csv} --target weight
compare train --data people.csv {|--target x|--feature x --target sex|--target sex --network 3-1}
compare train --data iris {--network 4-3|--network 4-0-3|--loss bce --network 4-2-1|--batch 0}
compare train --data iris {--test 1|--out iris.npz|--out a.txt|--epochs 0|--optimiser x|--seed -1}
compare train {|--data}
compare resume {iris.npz --epochs 5|davis.npz --json|iris.npz --epochs 1|no.npz|people.csv|}
compare resume weight.npz {--data none.csv --epochs 3|--epochs 3 --checkpoint-every x}
compare predict --model davis.npz weight=60 height=168 {|--json}
compare predict --model davis.npz {--csv new.csv|--csv new.csv --json|--csv new.csv --out said.csv}
compare predict --model davis.npz {weight=60|weight=x height=1|width=1 height=2|weight=1 weight=2}
compare predict --model davis.npz {--csv none.csv|--csv people.csv|--units metric weight=1|word}
compare predict --model {no.npz|people.csv} weight=60 height=168
compare predict --model iris.npz --csv new.csv
compare predict --model {weight.npz height=170 sex=M|sex.npz height=170 weight=60}
compare explain w0.0.0 --model davis.npz --x 60,168 --y 1
compare step --model iris.npz --x 5,3,1,0.2 --y 1,0,0 --at 4 --json
""",
    "sweep": """
compare sweep --cases 3000 {|--json --seed 3|--plant half-mse|--dtype float32 --json}
compare sweep --cases 500 --weights uniform:2 --inputs uniform:4 --plant saturated-unit-zeroed
compare sweep --cases 500 --weights spread:-3:3 --sigmoid-derivative article --json
compare sweep --cases 300 --network 3-4-2 --activation gelu --loss softmax-ce --l2 0.1 --examples 3
compare sweep {--cases 0|--cases x|--plant none|--weights uniform|--inputs spread:3:1|--dtype f2}
compare sweep --cases 10 {--network 2-x|--examples 0|--process-id 1|--num-processes 2|--loss bce}
compare sweep --network 3-4-2 {--plant half-mse|--sigmoid-derivative article|--activation x}
compare replay --case 4711 {|--json|--plant wrong-input|--sigmoid-derivative article}
compare replay --case 3 --network 3-4-2 --activation tanh --dtype float32 {|--json}
compare replay {|--case -1|--case x|--case 3 --plant none}
""",
    "prove": """
compare prove {|--json|--latex|--latex --json|--sigmoid-derivative article|--examples 4}
compare prove --plant {half-mse|wrong-input|sigmoid-of-z|exchanged|update-before-use|none} {|--json}
compare prove --network 2-2-1 --activation {relu|tanh|softplus} --examples 1 {|--latex}
compare prove --network 2-2-2 --loss {softmax-ce|huber|bce} --examples 1 --json
compare prove --network {9-9-9|2-x} {--examples 1|--examples 3}
compare prove --network 2-2-1 {--plant half-mse|--activation gelu|--sigmoid-derivative article}
""",
    "break": """
compare break {|--json|none|half-ms|half-mse --json|half-mse --epochs 0}
compare break ascends --epochs 20 --seed 3 --init ones --order shuffled --shift mean
compare break --epochs 20 {SLUGS}
compare break --epochs 20 --json {update-before-use|not-a-number|off-by-1e-12|accumulates|float32}
""",
    "handgrad": """
handgrad {|-h|check --help|check|chekc|check mine.py:gradient|check mine.py:gradient --loss loss}
handgrad check mine.py:gradient --loss loss --like example {|--json|--plant|--counterexample}
handgrad check mine.py:halved --loss loss --like example {|--json|--counterexample|--seed 3}
handgrad check mine.py:with_value --loss loss --like example --has-value --points 2 {|--json}
handgrad check mine.py:with_value --loss loss --like example
handgrad check mine.py:lossy --loss neuron --like saturated --points 0 {|--strict|--json|--plant}
handgrad check mine.py:nothing --loss jump --like at_a_jump --points 0 {|--json|--counterexample}
handgrad check mine.py:{fails|untraceable|number|absent|gradien} --loss loss --like example
handgrad check mine.py:gradient --loss {fails|untraceable|number|absent|no.py:loss} --like example
handgrad check mine.py:gradient --loss loss --like {loss|number|named|absent|x.y:z|saturated}
handgrad check {none.py:f|broken.py:f|mine.py|no.where:f|json:loads|:f} --loss loss --like example
handgrad check mine.py:gradient --loss loss --like example --points {0|-1|x} --trust-rule relu
handgrad check mine:gradient --loss mine:loss --like mine:example --points 1
handgrad check docs/neuron.py:{gradient|careful|hasty} --loss loss --like bob {|--counterexample}
handgrad check docs/layer_norm.py:gradient --loss loss --like example --json --counterexample
handgrad check docs/planted.py:gradient --loss loss --like alice
handgrad.referee {|--help}
""",
    "benchmarks": """
benchmarks {-h|nonsense|--case none|--contender none|--rounds 1|--plant x|--limit 0}
benchmarks {table|compare|plot|document|checkers} --help
benchmarks.on_gpu {--help|--case none|--rounds 1}
benchmarks table benchmarks/results/cpu.json
benchmarks table {none.json|people.csv|benchmarks/results/checkers.json|params.json|}
benchmarks compare benchmarks/results/comparison/first.json \
benchmarks/results/comparison/{again|slowed|none}.json {|--json}
benchmarks compare benchmarks/results/cpu.json benchmarks/results/{cpu|checkers}.json
benchmarks plot {none.json figures|benchmarks/results/comparison/first.json people.csv}
benchmarks document
benchmarks checkers --table {none.json|people.csv|benchmarks/results/checkers.json} {|--json}
benchmarks checkers {--contender none|--subject none|--limit 0}
benchmarks checkers --quick --out benchmarks/results/checkers.json
""",
    "study": """
study {--help|--out page.txt|--out no/page.html|--person eve|--network 2-x|--x 1 --y 0|extra}
study --out page.html
study --out mine.html --network 3-4-2 --activation tanh --x 1,-2,0.5 --y 0,1
study --out params.html --params params.json --x 2 --y 0
""",
    "examples": """
examples/{jax_erfcx|optax_rules|scipy_rosenbrock|sklearn_matern|sklearn_mlp}.py
examples/{sklearn_multinomial|statsmodels_logit|statsmodels_truncated}.py
""",
}

#: Every mistake that `break` plants.
SLUGS = """
missing-square half-mse double-mean residual-sign absolute-error cross-entropy-shortcut
no-activation-derivative-output no-activation-derivative-hidden activation-derivative-twice
sigmoid-of-z sigmoid-of-activation tanh-derivative minus-missing derivative-at-another-unit
derivative-at-another-layer dx-untransposed dw-transposed dw-after-activation dw-before-activation
wrong-input everything-through-h1 hidden-factor-in-w5 dropped-term-w5 dropped-term-loss
zeroed-element small-elements-zeroed saturated-unit-zeroed bias-takes-input
bias-without-derivative inputs-swapped bias-forgotten-in-forward float32 exchanged
order-of-parameters decay-factor clipped learning-rate-inside off-by-a-millionth off-by-1e-12
not-a-number accumulates central-difference update-before-use stale-parameters
last-sample-skipped wrong-sample bias-not-updated ascends
"""


class Reading(float):
    """What a clock of a capture shows: any two readings are equally far apart."""

    APART = 1e-3

    def __sub__(self, other: float) -> float:
        return self.APART if isinstance(other, Reading) else float(self) - other


def commands(group: str) -> Iterator[str]:
    """The command lines of a group, braces expanded."""
    for line in COMMANDS[group].strip().splitlines():
        line = line.replace("{SLUGS}", "{" + "|".join(SLUGS.split()) + "}")
        parts = [part.split("|") for part in re.split(r"[{}]", line)]
        for chosen in itertools.product(*parts):
            yield "".join(chosen).strip()


def ran(line: str) -> dict[str, Any]:
    """A command's exit code, what it printed, and the files it wrote."""
    program, *arguments = shlex.split(line)
    before = _files()
    streams = [io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2)]
    argv, sys.argv = sys.argv, [program, *arguments]
    code: Any = 0
    with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
        try:
            if program.endswith(".py"):
                runpy.run_path(program, run_name="__main__")
            else:
                runpy.run_module(program, run_name="__main__", alter_sys=True)
        except SystemExit as ending:
            code = ending.code
        except BaseException:
            code = traceback.format_exc()
    sys.argv = argv
    out, err = (stream.buffer.getvalue().decode() for stream in streams)  # type: ignore[union-attr]
    after = _files()
    written = {name: _shown(name) for name in after if after[name] != before.get(name)}
    return {"code": code, "stdout": out, "stderr": err, "files": written}


def _files() -> dict[str, tuple[int, int]]:
    """Where the working folder's files are, and when they were written."""
    found = (
        path for path in Path().rglob("*") if path.is_file() and "__pycache__" not in str(path)
    )
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in sorted(found)}


def _shown(name: str) -> str:
    """The text of a file, or the digest of what is no text; what is embedded in a text as well."""
    data = Path(name).read_bytes()
    try:
        return re.sub(r"(?<=base64,)[\w+/=]+", lambda m: _digest(m[0].encode()), data.decode())
    except UnicodeDecodeError:
        return _digest(data)


def _digest(data: bytes) -> str:
    return f"sha256 {hashlib.sha256(data).hexdigest()}"


def reports() -> list[tuple[str, Callable[[], Any], tuple[str, ...]]]:
    """Reports to make: a name, what makes it, and what it is asked besides."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    import handgrad
    from handgrad import check_backward, check_custom, check_gradient, check_steps

    plain_losses, zoo, heldout, verdicts, wrong_gradients, recorded = (
        import_module(f"subjects.{name}")
        for name in (
            *("plain_losses", "zoo", "heldout", "test_verdicts"),
            *("smallest.wrong_gradients", "steps.recorded_problem"),
        )
    )
    found: list[tuple[str, Callable[[], Any], tuple[str, ...]]] = []

    def add(name: str, make: Any, *given: Any, asked: tuple[str, ...] = (), **options: Any) -> None:
        found.append((name, partial(make, *given, **options), asked))

    def judged(name: str, gradient: Any, model: Any, *dtype: Any, **options: Any) -> None:
        point = model.draw(np.random.default_rng(17), *dtype)
        options = {"points": 1} | options
        add(name, check_gradient, gradient, model.loss, *point, **options)

    for at, model in enumerate(zoo.ZOO):
        dtype = np.float32 if at % 4 == 3 else np.float64
        judged(f"zoo {model.name}", model.gradient, model, dtype)
        if at % 2 == 0:
            slug = sorted(model.mistakes)[at // 2 % len(model.mistakes)]
            judged(f"zoo {model.name} {slug}", model.mistakes[slug], model, dtype)
    for model in heldout.HELD_OUT:
        judged(f"heldout {model.name}", model.gradient, model)
        for slug in sorted(model.mistakes)[::6]:
            judged(f"heldout {model.name} {slug}", model.mistakes[slug], model)
    for name, model in plain_losses.ALL.items():
        judged(f"plain {name}", model.gradient, model)
    for model in wrong_gradients.WRONG:
        gradient = getattr(wrong_gradients, model.name)
        judged(f"wrong {model.name}", gradient, model, asked=("counterexample", "power"))
    for row in verdicts.ROWS:
        name = f"verdict {row.name}"
        add(name, check_gradient, row.gradient, row.loss, *row.point, **row.options)

    def halved(dz: Any, cache: Any) -> Any:
        return dz * cache[1][None, :], (dz * cache[0]).sum(axis=0) / 2

    of_steps = {
        "one that does no harm": recorded.made_of(),
        "scale": recorded.made_of(scale=recorded.called("scale_backward", halved)),
        "relu": recorded.made_of(relu=recorded.called("relu_backward", lambda da, z: da)),
    }
    point = recorded.loss, recorded.PARAMS, recorded.X, recorded.Y
    for name, gradient in of_steps.items():
        add(f"steps {name}", check_gradient, gradient, *point, points=0, asked=("steps",))

    x, w = np.linspace(-1.0, 2.0, 6).reshape(2, 3), np.linspace(0.5, -0.75, 6).reshape(3, 2)
    b = np.array([0.1, 0.2])

    def tanh(z: Any) -> Any:
        return jnp.tanh(z), jnp.tanh(z)

    @jax.custom_jvp
    def soft(z: Any) -> Any:
        return jnp.log1p(jnp.exp(z))

    @jax.custom_vjp
    def clipped(z: Any) -> Any:
        return jnp.sin(z)

    soft.defjvp(lambda z, dz: (soft(*z), dz[0] / (1 + jnp.exp(-z[0]))))
    clipped.defvjp(lambda z: (jnp.sin(z), z), lambda z, da: (jnp.clip(da, -0.1, 0.1) * jnp.cos(z),))
    affine = recorded.affine_forward, recorded.affine_backward
    right, wrong = (tanh, lambda da, a: da * (1 - a * a)), (tanh, lambda da, a: da * (1 - a))
    add("backward right", check_backward, *right, x, asked=("power",))
    add("backward wrong", check_backward, *wrong, x, asked=("counterexample",))
    add("backward with a cotangent", check_backward, *right, x, cotangent=2 * x, points=1)
    add("backward of several", check_backward, *affine, x, w, b, strict=True)
    add("backward refused", check_backward, *right, x, cotangent=w)
    add("custom right", check_custom, soft, x, asked=("power",))
    add("custom wrong", check_custom, clipped, x, asked=("counterexample",))
    add("custom refused", check_custom, jnp.sin, x)
    first = ("affine", *affine, (w, b))
    add("steps right", check_steps, [first, ("tanh", *right)], x, points=2)
    add("steps wrong", check_steps, [first, ("tanh", *wrong)], x, points=2)
    add("steps refused", check_steps, [("tanh", tanh)], x)

    def double(p: Any) -> Any:
        return 2 * p

    def squares(p: Any) -> Any:
        return jnp.sum(p**2)

    add("by program", check_gradient, double, squares, x, referee="program")
    add("by series", check_gradient, double, squares, x, referee="series", seed=5)
    add("at a list", check_gradient, double, squares, x[0], points=[(x[0],), (x[1],)])
    add("trusted", check_gradient, double, squares, x, trust_rules=[jax.nn.relu], strict=True)
    refused = {"referee": "none", "seed": -1, "points": -1, "trust_rules": "relu"}
    for option, value in refused.items():
        add(f"refused {option}", check_gradient, double, squares, x, **{option: value})
    for params in (np.ones(2, int), {}, np.array([np.inf]), None):
        add(f"refused params {params}", check_gradient, double, squares, params)
    add("refused gradient", check_gradient, 3, squares, x)
    add("refused loss", check_gradient, double, double, x)
    add("assert_gradient", handgrad.assert_gradient, lambda p: p, squares, x)
    mixed = {"a": x, "b": np.float32(0.3)}
    add("exact exp", handgrad.exact_gradient, jnp.exp, np.float64(1))
    add("exact tree", handgrad.exact_gradient, lambda p: jnp.sum(jnp.sin(p["a"]) * p["b"]), mixed)
    add("exact kink", handgrad.exact_gradient, jnp.abs, np.float64(0))
    add("exact pole", handgrad.exact_gradient, lambda p: 1 / p, np.float64(0))
    add("exact underflow", handgrad.exact_gradient, lambda p: jnp.exp(-(p**2)), np.float64(2e3))
    return found


def told(make: Callable[[], Any], asked: tuple[str, ...]) -> dict[str, Any]:
    """A report in all the forms that it can be read in; of a refusal, what it says."""
    from rich.console import Console

    try:
        report = make()
    except Exception as error:
        return {"raised": f"{type(error).__name__}: {error}"}
    found: dict[str, Any] = {"str": str(report)}
    if hasattr(report, "to_dict"):
        found["dict"] = report.to_dict()
    if hasattr(report, "_repr_html_"):
        found["html"] = report._repr_html_()
    if hasattr(report, "__rich__"):
        console = Console(file=io.StringIO(), force_terminal=True, width=80, color_system="256")
        console.print(report)
        found["rich"] = console.file.getvalue()  # type: ignore[attr-defined]
    if "counterexample" in asked and (example := report.counterexample):
        found["counterexample"] = [str(example), example.as_code()]
    if "power" in asked:
        found["power"] = [str(power := report.power()), power.to_dict()]
    if "steps" in asked and report.steps:
        found["steps"] = [str(report.steps), report.steps.to_dict()]
    return found


def work(group: str, tree: Path, out: Path) -> None:
    """Run a group in this process, in its folder, and store what it printed."""
    import multiprocessing.connection  # noqa: F401 (takes its clock before ours is set)
    import queue  # noqa: F401
    import time

    for clock in ("perf_counter", "process_time", "monotonic", "thread_time"):
        setattr(time, clock, lambda: Reading())
    sys.path[0] = str(tree)
    entries: dict[str, Any] = {}
    if group == "reports":
        for name, make, asked in reports():
            began = os.times().user
            entries[name] = told(make, asked)
            print(f"{os.times().user - began:6.2f} s {name}", file=sys.stderr)
    else:
        for line in commands(group):
            began = os.times().user
            entries[line] = ran(line)
            print(f"{os.times().user - began:6.2f} s {line}", file=sys.stderr)
    out.write_text(json.dumps(entries))


def capture(tree: Path, groups: list[str], cache: Path) -> dict[str, Any]:
    """Everything that is stored of a tree."""
    with tempfile.TemporaryDirectory() as folder:

        def group(name: str) -> dict[str, Any]:
            room = Path(folder, name)
            skip = shutil.ignore_patterns(".git", ".venv", ".pytest_cache", ".hypothesis")
            shutil.copytree(tree, room, ignore=skip)
            for file, text in FILES.items():
                (room / file).write_text(text.lstrip())
            if name == "reports":
                _extract(room)
            out = Path(folder, f"{name}.json")
            environment = {
                "COLUMNS": "80",
                "JAX_NUM_CPU_DEVICES": "1",
                "JAX_COMPILATION_CACHE_DIR": str(cache),
                "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            }
            subprocess.run(
                [sys.executable, HERE, "--group", name, room, out],
                cwd=room,
                env=os.environ | environment,
                check=True,
            )
            return json.loads(out.read_text().replace(str(room), "TREE"))

        with ThreadPoolExecutor(2) as pool:
            return dict(zip(groups, pool.map(group, groups), strict=True))


def _extract(room: Path) -> None:
    """Lay the models of `SUBJECTS` into a folder, as a package that needs nothing of the tree."""
    archive = subprocess.run(
        ["git", "archive", SUBJECTS, *FOLDERS],
        cwd=HERE.parent.parent,
        check=True,
        capture_output=True,
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(room / "archive", filter="data")
    for old, new in FOLDERS.items():
        (room / "archive" / old).rename(room / new)
    for file in (room / "subjects").rglob("*.py"):
        text = file.read_text()
        for old, new in IMPORTS.items():
            text = text.replace(old, new)
        file.write_text(text)


def differences(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """What differs between two captures, entry by entry, as unified diffs."""
    for group in dict.fromkeys([*before, *after]):
        one, other = before.get(group, {}), after.get(group, {})
        for name in dict.fromkeys([*one, *other]):
            was, now = _lines(one.get(name)), _lines(other.get(name))
            if was != now:
                yield f"=== {group}: {name}"
                yield from itertools.islice(
                    difflib.unified_diff(was, now, lineterm="", n=1), 2, None
                )


def _lines(entry: Any, path: str = "") -> list[str]:
    """An entry line by line, each with the path to it; long ones are split where they may be."""
    if isinstance(entry, dict):
        return [line for key, value in entry.items() for line in _lines(value, f"{path} {key}")]
    if isinstance(entry, list):
        return [line for at, value in enumerate(entry) for line in _lines(value, f"{path} {at}")]
    lines = str(entry).splitlines()
    pieces = (re.split(r"(?<=[,;>}])", line) if len(line) > 200 else [line] for line in lines)
    return [f"{path}: {piece}" for piece in itertools.chain(*pieces)] or [f"{path}:"]


def main() -> None:
    """Store what a tree prints, or compare what two have printed."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n\n")[0], usage="%(prog)s TREE OUT | --diff A B"
    )
    parser.add_argument("one", type=Path)
    parser.add_argument("other", type=Path)
    parser.add_argument("--diff", action="store_true", help="Compare two files.")
    parser.add_argument("--only", action="append", help="A group; repeatable.")
    parser.add_argument("--group", help=argparse.SUPPRESS)
    given = parser.parse_args()
    one, other = given.one.resolve(), given.other.resolve()
    if given.group:
        work(given.group, one, other)
    elif given.diff:
        found = list(differences(*(json.loads(path.read_text()) for path in (one, other))))
        print("\n".join(found) or "nothing differs")
        sys.exit(bool(found))
    else:
        groups = given.only or ["reports", *COMMANDS]
        stored = capture(one, groups, HERE.parent.parent / ".pytest_cache" / "stored-outputs")
        other.write_text(json.dumps(stored, indent=1, ensure_ascii=False))
        print(f"{sum(map(len, stored.values()))} entries: {other}")


if __name__ == "__main__":
    main()
