"""Derivations by hand, in NumPy; an activation is a row of `activations.py`.

Start with `manual.article`: the 2-2-1 network and its nine partial derivatives. An activation is a
row of `activations`, and one more in each other room that computes it: `autodiff/network.py` and
`compare/reference.py`. Nothing here imports JAX, reads a file, prints, or knows a
tolerance.
"""
