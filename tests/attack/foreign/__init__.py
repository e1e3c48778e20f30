"""The judge on foreign code: hand-written gradients of released packages, each with a truth of its own."""
