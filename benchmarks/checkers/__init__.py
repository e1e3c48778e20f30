"""Compare gradient checkers: what each catches, what it reports, and how long it takes.

A new checker is a row of `contenders`; the mistakes and right points come from `models`.
"""
