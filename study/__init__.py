"""The derivation as a page, built from `compare.trace`."""
