"""Shrink the point where a gradient is wrong to a small counterexample, and write it as a test."""
