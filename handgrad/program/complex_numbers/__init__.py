"""Programs of complex numbers, rewritten to programs of their real and imaginary parts."""
