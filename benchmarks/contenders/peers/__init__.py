"""Contenders from other libraries, one module each; a missing library is reported by name.

What cannot run here, or is not set up for a problem, raises `Unavailable`.
"""
