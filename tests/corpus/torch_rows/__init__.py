"""Rows that need torch, in the form of `tests.corpus.rows`, for tests/handgrad/torch alone."""
