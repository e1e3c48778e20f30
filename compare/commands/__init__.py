"""The commands of `python -m compare`, one module each; a new command is a new module here.

Modules that compute are imported inside the functions, so that `--help` does not wait for them.
"""
