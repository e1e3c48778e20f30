"""Agreement over as many random cases as there is time for: drawn, taken and judged on the device.

A case is a network's parameters and examples. `cases` draws it by its number alone; `article` and
`network` take both gradients of it, and how far apart rounding may bring them (`links` on numbers
that are `rounded`); `tally` counts, `program` goes through blocks of cases on every device, `run`
through the steps of a sweep, and `replay` hands single cases to handgrad's judge and to the trace.
"""
