"""What is timed: a loss at a point, its gate, and how much work it is."""
