"""Models to judge: losses, gradients by hand, points, planted mistakes. New ones go here.

Each module is a family with a list of `Model`s, or a collection of models: `checkers` and
`right_points` for the comparison of checkers, `sized` for the times of checks, `zoo`, `held_out`
and `small` for tests of the judge, `general_network` and `planted` for mistakes in `manual`'s own
lines, `elements` for mistakes in a single element. To plant a mistake, add its slug and its edit,
old text and new, to the model's dict. To add a model, write a loss, a gradient that quotes the
loss's lines, and a draw in its family, and add the `Model` to the list.
"""
