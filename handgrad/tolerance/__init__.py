"""The tolerances of each element: what conditioning and what ordinary rounding explain."""
