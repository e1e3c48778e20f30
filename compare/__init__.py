"""The two derivations side by side. The command line is `python -m compare`.

Modules are imported by the commands when they compute, so that `--help` does not wait for JAX.
"""
