"""The oracle: certified reference gradients, by ball arithmetic, independent of JAX's rules."""
