"""The commands of `python -m benchmarks`, one module each; a new command is a new module here."""
