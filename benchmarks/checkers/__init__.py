"""Compare checkers of derivatives: what each catches, what it says, and how long it takes.

A new checker is a row of `contenders.CONTENDERS`; what they are asked about comes from `models`.
"""
