"""Gradients of released packages before the judge, each with a truth of its own."""
