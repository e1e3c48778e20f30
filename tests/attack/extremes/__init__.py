"""Extreme numbers, shapes and arrays: the largest, the smallest, the empty."""
