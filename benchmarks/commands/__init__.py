"""The command line: `python -m benchmarks`, one module a command."""
