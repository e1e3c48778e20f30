"""The derivations by hand: activations, losses, layers, every derivative written out, NumPy only.

Start with `manual.article`: the 2-2-1 network and its nine partial derivatives. An activation goes
into `activations`. Nothing here imports JAX, reads a file, prints, or knows a tolerance.
"""
