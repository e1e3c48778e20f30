"""The same comparison of checkers on `torch.autograd.Function`s, in three formats. It needs torch.

A new checker is a row of `contenders`; functions and mistakes come from `models.torch_functions`.
"""
