"""Batch normalization against the reference."""

import numpy as np
import pytest

from dnnfast import kernels, reference
from tolerance import assert_close, bound

ROWS = [2, 7, 31, 32, 33, 100, 300, 1000]
COLS = [1, 7, 33, 100, 300]


def draw(*shape, seed=0, shift=0.0):
    return (np.random.default_rng(seed).standard_normal(shape) + shift).astype(np.float32)


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("cols", COLS)
def test_forward_and_backward(rows, cols):
    x, gamma, beta = draw(rows, cols, seed=1, shift=0.5), draw(cols, seed=2), draw(cols, seed=3)
    dy = draw(rows, cols, seed=4)
    limit = bound(rows, operations=16)
    for scale, center in [(gamma, beta), (None, None), (gamma, None)]:
        for mine, theirs in zip(
            kernels.batchnorm_forward(x, scale, center),
            reference.batchnorm_forward(x, scale, center),
            strict=True,
        ):
            assert_close(mine, theirs, limit)
    mine, exact = (
        kernels.batchnorm_backward(x, gamma, dy),
        reference.batchnorm_backward(x, gamma, dy),
    )
    # dx is what is left of dy without its components along 1 and xhat: with two rows, nothing.
    before = gamma / np.sqrt(x.astype(np.float64).var(0) + 1e-3) * dy
    assert_close(mine[0], exact[0], limit, scale=before)
    assert_close(mine[1], exact[1], limit, scale=np.abs(dy).sum(0))
    assert_close(mine[2], exact[2], limit, scale=np.abs(dy).sum(0))


def test_inference():
    x, gamma, beta = draw(33, 31, seed=1), draw(31, seed=2), draw(31, seed=3)
    mean, variance = draw(31, seed=4), np.abs(draw(31, seed=5))
    assert_close(
        kernels.batchnorm_inference(x, gamma, beta, mean, variance),
        reference.batchnorm_inference(x, gamma, beta, mean, variance),
        bound(operations=16),
    )


def test_batch_of_one_is_beta():
    y, mean, variance = kernels.batchnorm_forward([[3.0, -2.0]], [2.0, 2.0], [0.5, 0.25])
    assert y.tolist() == [[0.5, 0.25]]
    assert mean.tolist() == [3.0, -2.0] and variance.tolist() == [0.0, 0.0]


def test_large_mean_and_small_variance():
    x = draw(256, 5, seed=1) + np.float32(1e4)
    y, mean, variance = kernels.batchnorm_forward(x)
    exact = reference.batchnorm_forward(x)
    assert_close(mean, exact[1], bound(256))
    assert_close(variance, exact[2], 1e-4)  # the mean itself is rounded to 1e-3 of the deviation
    constant, _, zero = kernels.batchnorm_forward(np.full((64, 3), 7.25))
    assert (constant == 0).all() and (zero == 0).all()
