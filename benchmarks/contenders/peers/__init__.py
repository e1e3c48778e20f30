"""Contenders from other libraries, one module each; a missing library is reported by name."""
