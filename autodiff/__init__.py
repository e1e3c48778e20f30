"""The same losses and networks in JAX, for `jax.grad`; an activation is a row of `network.py`.

No derivative here is written by hand; an activation goes into `network`, with its name. Importing
this package changes no setting of JAX: 64-bit work happens inside `jax.enable_x64(True)` (see
`autodiff.precision`).
"""
