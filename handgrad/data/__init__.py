"""Plain data that all layers share: points and pytrees, findings, numerals, source frames."""
