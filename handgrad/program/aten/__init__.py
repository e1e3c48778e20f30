"""PyTorch functions as JAX functions, operation by operation."""
