"""Edits of what decides what is right, which the tests must notice."""
