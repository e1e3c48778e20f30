"""Build traces of passes through networks: named quantities, their exact values, and checks."""
