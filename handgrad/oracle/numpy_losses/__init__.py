"""The oracle for losses in NumPy that JAX cannot trace: it runs their code on power series."""
