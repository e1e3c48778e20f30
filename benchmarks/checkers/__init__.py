"""Checkers of gradients side by side: what each catches, what it says, and how long it takes."""
