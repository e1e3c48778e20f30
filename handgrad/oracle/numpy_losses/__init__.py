"""The oracle for losses in NumPy that JAX cannot trace: their code is run on power series."""
