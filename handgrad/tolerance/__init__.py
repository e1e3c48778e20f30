"""How far from the reference an answer may be: conditioning, and what rounding explains."""
