"""Balls, series and comparisons of balls: real numbers with rigorous bounds."""
