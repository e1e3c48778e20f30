"""What handgrad judges, feature by feature: each one right, and wrong in two ways.

    python -m examples.features

Every row has its expectation beside it, the verdict and what the report has to name. It is written
before the check is run, and the exit code is 1 if a row is not as expected.
"""
