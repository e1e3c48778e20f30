"""Mutants of the code that decides what is right, each of which a test must kill."""
