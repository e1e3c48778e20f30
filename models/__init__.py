"""Models to judge: functions, derivatives by hand, points, planted mistakes. New ones go here.

A `Model` is a row of its family's `MODELS`: a name, a loss, a gradient that quotes the lines of the
loss, a draw, and mistakes by slug. A mistake is the line as its author wrote it, which takes the
place of the one that assigns to the same, or comes after the one that assigns to it among others;
or a text that stands once, and what is there instead:

    of_loss(
        *("ridge", ridge_loss, ridge_gradient, draw_ridge),
        {
            **usual(ridge_gradient, "bias-mean"),
            "half-mse": "dz = z - y",
            "decay-factor": ("2 * DECAY * w", "DECAY * w"),
        },
    )

`mistakes` describes each slug, and lists the kinds of finding that name it rightly. Models of other
kinds (Jacobians, rules, functions of torch) have both in their rows, see `rows`, and may have
`rewrites`, other right ways to write the same. `helpers` has lines that many gradients share
beside `manual`'s, and `usual` the mistakes in those that one calls, but for some; `networks.dense`
makes a model of an activation and a loss.

Collections are `checkers` and `right_points` for the comparison of checkers, `sized` for the times
of checks, `zoo`, `held_out` and `small` for tests of the judge. `planted` has mistakes in the
article's lines, `general_network` in those of a network of any shape, `elements` in one element.
"""
