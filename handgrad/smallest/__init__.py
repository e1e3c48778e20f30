"""The smallest example at which a gradient is wrong, and a test made of it."""
