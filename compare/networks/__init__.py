"""Networks of any shape trained by both sides: prepared data, two trainings in lockstep, models."""
