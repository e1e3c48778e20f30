"""Compare the derivation by hand with autodiff: trainings, sweeps, proofs, errata, the commands.

`python -m compare` is the command line; a new command goes into `compare.commands`. Commands import
what computes only when they compute, so that `--help` does not wait for JAX.
"""
