"""The measuring protocol: alternating rounds in a process, several processes; memory separately."""
