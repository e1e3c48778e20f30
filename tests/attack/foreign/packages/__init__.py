"""The subjects, by what is common to their packages; see `tests.attack.foreign.subject`."""
