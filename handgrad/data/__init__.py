"""What travels between the layers: arguments and pytrees, findings, numerals, source frames."""
