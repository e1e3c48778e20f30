"""The corpus: what people put before the judge, right and wrong, and what is due."""
