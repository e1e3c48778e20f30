"""Hold the derivation by hand against autodiff, with rounding as the only excuse for a difference.

- *Rounding is judged* in `agreement` (nine partial derivatives of the article's network at a point,
  by hand and by autodiff) and `verdict` (two arrays within ranges); `rounding`, `bounds` and
  `networks` say how far two right answers may lie apart.
- *Two trainings meet* in `lockstep`: each side walks its own path, and at every step of either path
  both take the same update. Three trainings run in it: the article's (`experiment`), that of a
  network of any shape on real data (`training`; its sides are in `sides`), and least squares, which
  is a network of one unit (`regression`).
- *A mistake is planted* in `breaking`: it puts one of `models.planted` in the place of a gradient
  or a training loop, and runs five checks, of which most miss it.

Beside them, `sweep` compares gradients at a billion random points, `proof` proves the lines right,
`recording` and `traced` show a pass step by step, and `errata` runs the article's mistakes.

`python -m compare` is the command line. A command is a file of `compare.commands`; it imports what
computes only when it computes, so that `--help` does not wait for JAX.
"""
