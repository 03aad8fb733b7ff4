from importlib import resources

import numpy as np
import pytest

from dnnfast.datasets import fashion_mnist, mnist


def test_the_excerpt_is_balanced_and_real():
    (x_train, y_train), (x_test, y_test) = fashion_mnist.load_excerpt()
    assert x_train.shape == (7000, 28, 28)
    assert x_test.shape == (1000, 28, 28)
    for array in (x_train, y_train, x_test, y_test):
        assert array.dtype == np.uint8
    assert np.bincount(y_train).tolist() == [700] * 10
    assert np.bincount(y_test).tolist() == [100] * 10
    assert x_train.max() == 255
    # About half of the pixels of Fashion-MNIST are background.
    assert 0.4 < (x_train == 0).mean() < 0.6


def test_the_excerpt_stays_small_and_comes_with_its_licence():
    folder = resources.files("dnnfast.datasets")
    assert len((folder / "fashion_mnist_excerpt.npz").read_bytes()) < 4_000_000
    licence = (folder / "FASHION_MNIST_LICENSE.txt").read_text(encoding="utf-8")
    assert "MIT License" in licence
    assert "Zalando" in licence


def test_the_excerpt_is_the_first_of_each_class_of_the_full_set():
    if fashion_mnist.SOURCE.find() is None:
        pytest.skip("the full Fashion-MNIST is not on this machine")
    full = fashion_mnist.load_data()
    excerpt = fashion_mnist.load_excerpt()
    assert full[0][0].shape == (60000, 28, 28)
    assert full[1][0].shape == (10000, 28, 28)
    for (x, y), (x_part, y_part), count in zip(full, excerpt, (700, 100), strict=True):
        rows = np.sort(np.concatenate([np.flatnonzero(y == c)[:count] for c in range(10)]))
        np.testing.assert_array_equal(x[rows], x_part)
        np.testing.assert_array_equal(y[rows], y_part)


@pytest.mark.parametrize("module", [fashion_mnist, mnist])
def test_every_file_is_described_completely(module):
    source = module.SOURCE
    assert all(address.endswith("/") for address in source.addresses)
    for file in source.files:
        assert len(file.sha256) == 64
        assert file.name.endswith(".gz")
    assert len({file.sha256 for file in source.files}) == 4
