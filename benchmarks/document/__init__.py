"""docs/benchmarks.md: text that people wrote, with every number from the stored results."""
