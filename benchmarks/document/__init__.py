"""Build docs/benchmarks.md from a template, with every number from the stored results."""
