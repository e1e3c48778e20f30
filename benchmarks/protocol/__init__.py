"""The measuring protocol: rounds in a process, processes in a run, memory in separate ones."""
