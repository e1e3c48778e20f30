"""Other libraries that differentiate: each an extra of its own, absent by name and reason."""
