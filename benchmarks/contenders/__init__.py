"""The ways to a loss and its gradient that are timed, by family of problems."""
