"""Losses, their gradients by hand, points, and mistakes as edits of one line: for all who judge.

A model is found by its family, a module here with a list of `Model`s; a collection, such as
`models.checkers`, names those that somebody draws on. To add a mistake, write its slug and its
edit, old text and new, into the model's dict. To add a model, write a loss, a gradient that quotes
the loss's lines, and a draw into its family, and the `Model` into the list.
"""
