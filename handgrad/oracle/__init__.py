"""The oracle: certified gradients, from the loss run in balls, without derivative rules of JAX."""
