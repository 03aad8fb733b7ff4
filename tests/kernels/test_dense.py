"""Dense kernels against the reference over awkward shapes."""

import numpy as np
import pytest

from dnnfast import kernels, reference
from tolerance import assert_close, bound

SIZES = [1, 7, 31, 33, 100, 300]
BATCHES = [1, 7, 31, 32, 33, 100, 300]


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("rows", BATCHES)
@pytest.mark.parametrize("n_in", [*SIZES, 784])
def test_forward(rows, n_in):
    for n_out in SIZES:
        x, w, b = draw(rows, n_in, seed=1), draw(n_in, n_out, seed=2), draw(n_out, seed=3)
        out = kernels.dense_forward(x, w, b)
        assert_close(out, reference.dense_forward(x, w, b), bound(n_in))


@pytest.mark.parametrize("rows", [*BATCHES, 520, 1100])
@pytest.mark.parametrize("n_out", SIZES)
def test_backward(rows, n_out):
    for n_in in SIZES:
        x, w, dy = draw(rows, n_in, seed=1), draw(n_in, n_out, seed=2), draw(rows, n_out, seed=3)
        out = kernels.dense_backward(x, w, dy)
        exact = reference.dense_backward(x, w, dy)
        for mine, theirs, terms in zip(out, exact, (n_out, rows, rows), strict=True):
            assert_close(mine, theirs, bound(terms))


@pytest.mark.parametrize("activation", reference.ACTIVATIONS)
def test_fused_epilogue(activation):
    x, w, b = draw(33, 31, seed=1), draw(31, 100, seed=2) * 0.2, draw(100, seed=3)
    options = {"activation": activation, "alpha": 0.5, "beta": 0.25}
    bits = {"rate": 0.3, "seed": 5, "step": 6, "stream": 7}
    out = kernels.dense_forward(x, w, b, **options, **bits)
    z = reference.dense_forward(x, w, b)
    # The reference sees the kernel's own z: a step function would turn its last bit into a whole.
    z = kernels.dense_forward(x, w, b)
    exact = reference.dropout_forward(
        reference.activation_forward(z, activation, 0.5, 0.25), 0.3, 5, 6, 7
    )
    assert_close(out, exact, bound(operations=16))
    dy = draw(33, 100, seed=4)
    grads = kernels.dense_backward(x, w, dy, z=z, **options, **bits)
    exact_grads = reference.dense_backward(x, w, dy, z=z, **options, **bits)
    for mine, theirs in zip(grads, exact_grads, strict=True):
        assert_close(mine, theirs, bound(100, operations=16))


def test_matmul_and_no_bias():
    x, w, dy = draw(5, 6), draw(6, 7), draw(5, 7)
    assert_close(kernels.matmul(x, w), reference.matmul(x, w), bound(6))
    assert kernels.dense_backward(x, w, dy, b=False)[2] is None


def test_large_square():
    x, w = draw(640, 1030, seed=1), draw(1030, 517, seed=2)
    assert_close(kernels.matmul(x, w), reference.matmul(x, w), bound(1030))


def test_nan_and_infinity_pass_through():
    x, w = draw(4, 8), draw(8, 20)
    x[1, 3] = np.nan
    x[2, 0] = np.inf
    out = kernels.dense_forward(x, w)
    assert np.isnan(out[1]).all() and not np.isfinite(out[2]).any()
    assert np.isfinite(out[[0, 3]]).all()


def test_any_layout_of_the_arrays_is_taken():
    x, w = draw(8, 12), draw(12, 5)
    exact = kernels.matmul(x, w)
    assert np.array_equal(kernels.matmul(np.asfortranarray(x), w), exact)
    assert np.array_equal(kernels.matmul(x.astype(np.float64), w[::-1][::-1]), exact)
    x.flags.writeable = False
    assert np.array_equal(kernels.matmul(x, w), exact)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: kernels.matmul(draw(2, 3), draw(4, 5)), ["w", "(4, 5)", "(3, 5)"]),
        (lambda: kernels.matmul(draw(3), draw(3, 2)), ["x", "matrix"]),
        (lambda: kernels.matmul(np.zeros((0, 3)), draw(3, 2)), ["x", "(0, 3)"]),
        (lambda: kernels.dense_forward(draw(2, 3), draw(3, 4), draw(3)), ["b", "(3,)", "(4,)"]),
        (lambda: kernels.dense_forward(draw(2, 3), draw(3, 4), activation="x"), ["activation"]),
        (lambda: kernels.dense_forward(draw(2, 3), draw(3, 4), rate=1.0), ["rate", "[0, 1)"]),
        (lambda: kernels.dense_backward(draw(2, 3), draw(3, 4), draw(2, 5)), ["dy", "(2, 4)"]),
        (
            lambda: kernels.dense_backward(draw(2, 3), draw(3, 4), draw(2, 4), activation="relu"),
            ["z"],
        ),
    ],
)
def test_errors_name_the_argument(call, words):
    with pytest.raises(ValueError) as error:
        call()
    for word in words:
        assert word in str(error.value)
