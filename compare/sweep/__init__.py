"""Compare both gradients at millions of random cases; the bounds are those of `networks/`.

A case is a network's parameters and examples. `cases` draws it from its number alone; `article`
and `network` compute both gradients and the bound on their distance, from ranges; `tally` counts,
`program` runs blocks of cases on every device, `run` runs a whole sweep, and `replay` passes single
cases to handgrad's judge and to the trace.
"""
