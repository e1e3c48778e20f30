"""Edits of the kernel that change nothing anybody could see: why, and of which lines."""

#: A reason, and the lines whose edits survive for it.
EQUIVALENT: dict[str, tuple[str, ...]] = {}
