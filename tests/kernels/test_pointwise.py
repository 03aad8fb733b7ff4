"""Activations, softmax and dropout against the reference."""

import numpy as np
import pytest

from dnnfast import kernels, reference
from tolerance import assert_close, bound

SHAPES = [(1, 1), (7, 33), (32, 300), (33, 100), (5, 784)]


def draw(*shape, seed=0, scale=3.0):
    x = np.random.default_rng(seed).standard_normal(shape) * scale
    return x.astype(np.float32)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("kind", reference.ACTIVATIONS)
def test_activation(kind, shape):
    x, dy = draw(*shape, seed=1), draw(*shape, seed=2)
    for alpha, beta in [(1.0, 0.0), (0.3, 0.7)]:
        out = kernels.activation_forward(x, kind, alpha, beta)
        assert_close(out, reference.activation_forward(x, kind, alpha, beta), bound(operations=12))
        grad = kernels.activation_backward(x, dy, kind, alpha, beta)
        exact = reference.activation_backward(x, dy, kind, alpha, beta)
        assert_close(grad, exact, bound(operations=24))


@pytest.mark.parametrize("kind", reference.ACTIVATIONS)
def test_activation_at_the_ends(kind):
    x = np.array([[0.0, -0.0, 1e-30, -1e-30, 88.0, -88.0, 200.0, -200.0, 1e30, -1e30, np.nan]])
    x = x.astype(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        out = kernels.activation_forward(x, kind, 0.5, 0.0)
        exact = reference.activation_forward(x, kind, 0.5, 0.0).astype(np.float32)
    assert np.array_equal(np.isnan(out), np.isnan(exact))
    finite = np.isfinite(exact)
    assert np.array_equal(np.isfinite(out), finite)
    np.testing.assert_allclose(out[finite], exact[finite], rtol=2e-5, atol=1e-30)


@pytest.mark.parametrize("shape", [(1, 2), (7, 10), (33, 100), (32, 300), (3, 1000)], ids=str)
@pytest.mark.parametrize("name", ["softmax", "log_softmax", "glu"])
def test_row_wise(name, shape):
    x = draw(*shape, seed=1)
    forward = getattr(kernels, f"{name}_forward"), getattr(reference, f"{name}_forward")
    backward = getattr(kernels, f"{name}_backward"), getattr(reference, f"{name}_backward")
    y, exact = forward[0](x), forward[1](x)
    assert_close(y, exact, bound(shape[1], operations=8))
    dy = draw(*y.shape, seed=2)
    saved = x if name == "glu" else y
    assert_close(backward[0](saved, dy), backward[1](saved, dy), bound(shape[1], operations=16))


def test_softmax_of_huge_logits():
    x = np.array([[1e30, 0.0, -1e30], [-1e4, -1e4, -1e4]], np.float32)
    np.testing.assert_allclose(kernels.softmax_forward(x), [[1, 0, 0], [1 / 3] * 3], rtol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (3, 16), (7, 33), (32, 300), (9, 100)], ids=str)
def test_dropout_mask_is_the_reference_mask(shape):
    for rate in (0.1, 0.5, 0.9):
        for seed, step, stream in [(0, 0, 0), (2**63 + 5, 2**40, 3), (7, 1, 2**31)]:
            mine = kernels.dropout_mask(*shape, rate, seed, step, stream)
            theirs = reference.dropout_mask(*shape, rate, seed, step, stream)
            assert np.array_equal(mine, theirs)
    x = draw(*shape)
    assert_close(
        kernels.dropout_forward(x, 0.25, 1, 2, 3),
        reference.dropout_forward(x, 0.25, 1, 2, 3),
        bound(),
    )


def test_shuffle_is_the_reference_shuffle():
    for n in (0, 1, 2, 1000, 5000):
        for seed, epoch in [(0, 0), (2**64 - 1, 3), (12, 2**33)]:
            assert np.array_equal(
                kernels.shuffle(n, seed, epoch), reference.shuffle(n, seed, epoch)
            )
