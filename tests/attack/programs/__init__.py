"""Random programs: losses drawn from all operations with a rule, right and with one edit."""
