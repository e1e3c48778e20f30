"""The affine step: every unit of a layer weights the inputs and adds its bias."""

from typing import NamedTuple

from manual.arrays import Array, namespace


class Layer(NamedTuple):
    """The parameters of one layer, or two arrays that belong to them (their derivatives, say)."""

    w: Array  #: weights, shape (n_in, n_out)
    b: Array  #: biases, shape (n_out,)


class AffineCache(NamedTuple):
    """The values that the backward step needs."""

    x: Array
    w: Array


def affine_forward(x: Array, w: Array, b: Array) -> tuple[Array, AffineCache]:
    """z = x @ w + b, that is z_kj = Σ_i x_ki w_ij + b_j.

    Args:
        x: inputs, one example a row, shape (n, n_in).
        w: weights, shape (n_in, n_out).
        b: biases, shape (n_out,).

    Returns:
        z of shape (n, n_out), and the cache.
    """
    return x @ w + b[None, :], AffineCache(x, w)


def affine_backward(dz: Array, cache: AffineCache) -> tuple[Array, Array, Array]:
    """Compute the derivatives by x, w and b.

    Args:
        dz: ∂L/∂z, shape (n, n_out).
        cache: of the forward step.

    Returns:
        dx, dw and db, shaped like x, w and b.
    """
    return (affine_backward_inputs(dz, cache), *affine_backward_parameters(dz, cache))


def affine_backward_inputs(dz: Array, cache: AffineCache) -> Array:
    """z_kj depends on x_ki through w_ij, so dx_ki = Σ_j dz_kj w_ij."""
    # z = x @ w + b[None, :]
    return dz @ cache.w.T


def affine_backward_parameters(dz: Array, cache: AffineCache) -> Layer:
    """z_kj depends on w_ij through x_ki and on b_j through 1, for every example k.

    So dw_ij = Σ_k x_ki dz_kj and db_j = Σ_k dz_kj: what was broadcast along the examples is summed
    along them.
    """
    # z = x @ w + b[None, :]
    return Layer(w=cache.x.T @ dz, b=namespace(dz).sum(dz, axis=0))
