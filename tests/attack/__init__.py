"""Attacks on the judge, each run by one command and stored: `python -m tests.attack`."""
