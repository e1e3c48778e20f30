"""Whether the tests notice a mistake: a stored sample of mutants, each run against its tests.

    python -m tests.mutation cover               runs the quick tests once, under coverage
    python -m tests.mutation run --only manual   decides the mutants that are not decided yet
    python -m tests.mutation compare OLD NEW     lists what was killed and is no longer
    python -m tests.mutation lost                lists those whose line is gone
    python -m tests.mutation sample              makes the sample anew

Mutants are written in a scratch copy of the checkout, never in the checkout itself. Coverage is in
a group of its own: `.venv/bin/python -m pip install --group mutants`.

A mutant is found by its function and its text, wherever the file has gone. Where its line is gone,
its row in sample.json gets a `successor` with the equivalent edit (`file`, `function`, `old` and
`new` as far as they differ), or `dropped` with the reason.
"""
