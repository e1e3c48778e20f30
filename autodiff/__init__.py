"""The losses as pure JAX functions, differentiated by `jax.grad` and compiled by `jax.jit`.

No derivative here is written by hand; an activation goes into `network`, with its name. Importing
this package changes no setting of JAX: 64-bit work happens inside `jax.enable_x64(True)` (see
`autodiff.precision`).
"""
