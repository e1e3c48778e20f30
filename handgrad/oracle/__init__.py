"""The oracle: certified gradients, from no derivative rule of JAX and no step size."""
