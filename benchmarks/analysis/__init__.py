"""Analyse the times of a run: floors, factors, costs, fits, crossovers, break-even calls."""
