"""Mean and deviation over passes against the reference."""

import numpy as np
import pytest

from dnnfast import kernels, reference
from tolerance import assert_close, bound


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 7, 33), (100, 5, 10), (10, 33, 300)], ids=str)
@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_sample_moments(shape, offset):
    x = np.random.default_rng(1).standard_normal(shape) + offset
    x = x.astype(np.float32)
    exact = reference.sample_moments(x)
    for mine, theirs in zip(kernels.sample_moments(x), exact, strict=True):
        assert_close(mine, theirs, bound())
    plain = np.mean(x, 0, np.float64), np.std(x, 0, np.float64)
    np.testing.assert_allclose(exact, plain, rtol=1e-9, atol=1e-10)


def test_equal_passes_have_no_deviation_at_all():
    x = np.repeat(np.random.default_rng(0).standard_normal((1, 4, 9)).astype(np.float32), 7, 0)
    mean, deviation = kernels.sample_moments(x)
    assert np.array_equal(mean, x[0]) and not deviation.any()


def test_what_is_not_finite_stays_where_it_is():
    x = np.ones((3, 1, 5), np.float32)
    x[0, 0, 0], x[2, 0, 1], x[1, 0, 2] = np.inf, -np.inf, np.nan
    x[:, 0, 3] = 3e38
    mean, deviation = kernels.sample_moments(x)
    exact = reference.sample_moments(x)
    np.testing.assert_array_equal(mean, exact[0].astype(np.float32))
    np.testing.assert_array_equal(np.isnan(deviation), np.isnan(exact[1]))
    assert deviation[0, 3] == 0 == deviation[0, 4]


@pytest.mark.parametrize("module", [kernels, reference])
@pytest.mark.parametrize("shape", [(3, 4), (0, 4, 4), (2, 0, 4)], ids=str)
def test_errors(module, shape):
    with pytest.raises(ValueError, match="passes, rows, columns"):
        module.sample_moments(np.ones(shape))
