"""Derivatives that are no gradients of scalars: Jacobians, Hessians, and products with them."""
