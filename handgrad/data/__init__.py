"""Plain data of all layers: points (parameters and inputs), findings, numerals."""
