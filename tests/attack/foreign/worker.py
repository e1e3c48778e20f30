"""Judge the subjects of one package, a JSON line for each; runs where the packages are."""

import json
import os
import resource
import sys
import time
import traceback
import warnings
from importlib import import_module
from importlib.metadata import version

os.environ.setdefault("JAX_PLATFORMS", "cpu")


def main(run: str, limit: float) -> None:
    """Print each subject's name, and then its row if a line `yes` is the answer.

    A subject that takes more seconds of processor time than the limit ends the process.
    """
    lines, sys.stdout = sys.stdout, sys.stderr  # what packages print is no row
    warnings.simplefilter("ignore")
    module, _, argument = run.partition(":")
    home = import_module(f"tests.attack.foreign.packages.{module}")
    for subject in home.subjects(*filter(None, [argument])):
        key = f"{subject.package}: {subject.name}"
        print(json.dumps({"begins": key}), file=lines, flush=True)
        if sys.stdin.readline() != "yes\n":
            continue
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time() + limit) + 1, hard))
        row = {"id": key, "package": subject.package, "name": subject.name}
        try:
            row |= subject.judged()
        except Exception as raised:  # the adapter or the package, not the judge
            traceback.print_exc()
            text = " ".join(str(raised).split())[:300]
            row |= {"outcome": "not run", "says": f"{type(raised).__name__}: {text}"}
        row["version"] = version(subject.package)
        print(json.dumps(row, ensure_ascii=False), file=lines, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
