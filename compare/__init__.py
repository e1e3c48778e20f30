"""Hold the derivation by hand against autodiff, with rounding as the only excuse for a difference.

The derivation is that of an article: a 2-2-1 network, its nine partial derivatives, its training.

- *Rounding is judged* in `agreement`: two arrays, by hand and by autodiff, agree where both are as
  near to those of a third program as rounding allows. That program and these bounds are in
  `reference`; where they do not say that a side is right, `handgrad.check_gradient` does. The exact
  values that are shown beside are from `certified`.
- *Two trainings meet* in `lockstep`: each side walks its own path, and at every step of either path
  both take the same update. Three trainings run in it: the article's (`experiment`), that of a
  network of any shape on real data (`training`; its sides are in `sides`), and least squares, which
  is a network of one unit (`regression`).
- *A mistake is planted* in `breaking`: one of `models.planted` takes the place of a gradient or of
  a training loop, and five checks say whether they see it.

Beside them, `sweep` compares gradients at a billion random points, `proof` proves the lines right,
`recording` and `traced` show a pass step by step, and `errata` runs the article's mistakes.

`python -m compare` is the command line: `cli` says what may be typed, `commands` does it.
"""
