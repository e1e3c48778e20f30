"""Train networks of any shape by hand and by autodiff in lockstep; prepare data, save models."""
