"""Judge a gradient: its form, a ruling at each point, reruns, and the verdict over all points."""
