"""Losses, their gradients by hand, points, and mistakes as edits of one line: for all who judge.

A model is found by its family, a module here with a list of `Model`s. What somebody draws on is a
collection: `checkers` and `right_points` for the comparison of checkers, `zoo`, `held_out` and
`small` for tests of the judge, `general_network` for mistakes in `manual.network`'s own lines. To
add a mistake, write its slug and its edit, old text and new, into the model's dict. To add a model,
write a loss, a gradient that quotes the loss's lines, and a draw into its family, and the `Model`
into the list.
"""
