"""A loss as a traced program: trace it, interpret it in balls, list its operations as a graph."""
