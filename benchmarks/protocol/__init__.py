"""How times are taken: rounds within a process, processes within a run, memory apart from both."""
