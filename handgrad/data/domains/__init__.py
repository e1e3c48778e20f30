"""Sets that parameters are meant to stay in, and the directions that do not leave them."""
