"""How the truth about a loss is had: by JAX's program, by its own lines, or as an estimate."""
