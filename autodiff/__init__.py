"""The same losses as pure JAX functions, differentiated by `jax.grad` and compiled by `jax.jit`.

No derivative here is written by hand. Importing this package changes no setting of JAX: 64-bit work
happens inside `jax.enable_x64(True)` (see `autodiff.precision`).
"""
