"""Ten `torch.autograd.Function`s to judge, of operations that people write kernels for.

Each is a forward and a backward pass, of which `function.kernel` makes the class. It comes with a
reference in torch's own operations, draws of arguments, mistakes, and other right ways to write it;
mistakes and rewrites are edits of its backward pass. They need torch.
"""
