"""The problems that are timed: a loss at a point, the gate that judges answers, and the work."""
