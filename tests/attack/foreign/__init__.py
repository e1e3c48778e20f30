"""The judge on foreign code: gradients of released packages, each with a truth of its own."""
