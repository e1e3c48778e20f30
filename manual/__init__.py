"""Derivations by hand, in NumPy: a new activation goes into `activations.py`, then `autodiff/`.

Start with `manual.article`: the 2-2-1 network and its nine partial derivatives. An activation goes
into `activations`. Nothing here imports JAX, reads a file, prints, or knows a tolerance.
"""
