"""The timed problems: a loss at a point, the gate that judges answers, counts of operations."""
