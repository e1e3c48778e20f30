"""Judge the gradients of one package, a JSON line for each; runs where the packages are."""

import json
import os
import resource
import sys
import time
import warnings
from importlib import import_module
from importlib.metadata import distributions
from typing import Any

from evaluation.foreign.subject import told

os.environ.setdefault("JAX_PLATFORMS", "cpu")


def main(module: str, package: str) -> None:
    """Print a line as each gradient begins, and its row; or why there is none.

    Standard input has what is asked for as JSON; `pin` is the version that the package has to have.
    """
    asked = json.load(sys.stdin)
    lines, sys.stdout = sys.stdout, sys.stderr  # what packages print is no row
    warnings.simplefilter("ignore")

    def say(**row: Any) -> None:
        print(json.dumps(row), file=lines, flush=True)

    installed = [it.version for it in distributions(name=package)]
    if asked["pin"] not in installed:
        found = "is not installed" if not installed else f"{installed[0]} is installed"
        return say(refused=f"{found} there; expected {asked['pin']}, as requirements.txt has it.")
    for subject in import_module(f"evaluation.foreign.packages.{module}").PACKAGES[package]():
        key = f"{package}: {subject.name}"
        if key in asked["skip"] or not any(word in key for word in asked["only"] or [""]):
            continue
        say(begins=key)
        start, hard = time.monotonic(), resource.getrlimit(resource.RLIMIT_CPU)[1]
        limit = int(time.process_time() + asked["limit"]) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (limit, hard))
        try:
            row = subject.judged()
        except Exception as raised:  # the adapter or the package, not the judge
            row = {"outcome": "not run", "says": told(raised)}
        resource.setrlimit(resource.RLIMIT_CPU, (hard, hard))
        row |= {"version": asked["pin"], "took": round(time.monotonic() - start, 3)}
        say(id=key, package=package, name=subject.name, **row)
    return None


if __name__ == "__main__":
    main(*sys.argv[1:])
