"""Ten `torch.autograd.Function`s to judge, as authors of kernels write them. They need torch.

Each module is a function, its `reference` in torch's own operations, draws of arguments, mistakes,
and other right ways to write it; mistakes and rewrites are edits of its lines. To add a function,
write such a module and list its `FUNCTION` in `functions`; to add a mistake, an entry of its dict.
"""
