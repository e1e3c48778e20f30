"""The smallest counterexample of a wrong gradient."""
