"""What the times of a run say: floors, factors, costs, fits, crossovers, break-even calls."""
