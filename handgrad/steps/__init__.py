"""Find the wrong step of a backward pass: judge every pair of forward and backward functions."""
