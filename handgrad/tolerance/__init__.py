"""How far from the truth an answer may be: conditioning, and what rounding explains."""
