"""Layers that learn from data without training: in every form of data, before and after compile."""

import numpy as np
import pytest

import dnnfast as keras

X = np.random.default_rng(0).normal(3, 2, (300, 4)).astype(np.float32)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, i):
        return X[100 * i : 100 * (i + 1)], np.zeros(100)


def generated():
    for i in range(3):
        yield X[100 * i : 100 * (i + 1)]


FORMS = {
    "array": lambda: X,
    "float64": lambda: X.astype(np.float64),
    "not contiguous": lambda: np.asfortranarray(X),
    "nested lists": lambda: X.tolist(),
    "variable": lambda: keras.Variable(X),
    "data set": Batches,
    "generator": generated,
    "list of batches": lambda: list(generated()),
    "uneven batches": lambda: [X[:7], X[7:250], X[250:]],
    "pairs": lambda: [(batch, np.zeros(100)) for batch in generated()],
}


@pytest.mark.parametrize("form", FORMS)
def test_normalization_learns_from_all_forms_of_data(form, device):
    layer = keras.layers.Normalization()
    layer.adapt(FORMS[form]())
    np.testing.assert_allclose(layer.mean, X.mean(0, keepdims=True), rtol=1e-5)
    np.testing.assert_allclose(layer.variance, X.var(0, keepdims=True), rtol=1e-4)
    expected = (X - X.mean(0)) / X.std(0)
    np.testing.assert_allclose(layer(X), expected, rtol=1e-4, atol=1e-5)
    inverse = keras.layers.Normalization(
        mean=layer.adapt_mean.numpy(), variance=layer.adapt_variance.numpy(), invert=True
    )
    np.testing.assert_allclose(inverse(layer(X)), X, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("axis", [1, 2, (1, 2), None, -1])
def test_normalization_along_axes(axis, device):
    x = X.reshape(50, 6, 4)
    layer = keras.layers.Normalization(axis=axis)
    layer.adapt(x)
    axes = () if axis is None else axis if isinstance(axis, tuple) else (axis % 3,)
    others = tuple(i for i in range(3) if i not in axes)
    expected = (x - x.mean(others, keepdims=True)) / x.std(others, keepdims=True)
    np.testing.assert_allclose(layer(x), expected, rtol=1e-4, atol=1e-5)
    again = keras.layers.Normalization.from_config(layer.get_config())
    again.build_from_config(layer.get_build_config())
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(x), layer(x))


def test_large_numbers_keep_their_variance():
    x = (np.arange(200_000) % 2).astype(np.float32)[:, None] + 4096.0
    layer = keras.layers.Normalization()
    layer.adapt(x)
    np.testing.assert_allclose(layer.adapt_variance, [0.25], rtol=1e-4)


def test_adapting_after_compiling(device):
    layer = keras.layers.Normalization()
    edges = keras.layers.Discretization(num_bins=4, output_mode="one_hot")
    a, b = keras.Input((4,)), keras.Input((4,))
    together = keras.layers.concatenate([layer(a), keras.layers.Flatten()(edges(b))])
    model = keras.Model([a, b], keras.layers.Dense(1)(together))
    model.compile("sgd", "mse")
    layer.adapt(X)
    edges.adapt(X)
    y = model.predict([X, X], verbose=0)
    w, bias = model.layers[-1].get_weights()
    bins = np.digitize(X, edges.bin_boundaries)
    known = np.concatenate([(X - X.mean(0)) / X.std(0), np.eye(4)[bins].reshape(300, 16)], 1)
    np.testing.assert_allclose(y, known @ w + bias, rtol=1e-4, atol=1e-4)
    model.fit([X, X], np.zeros((300, 1)), verbose=0)
    layer.adapt(2 * X)
    again = model.predict([2 * X, X], verbose=0)
    w, bias = model.layers[-1].get_weights()
    np.testing.assert_allclose(again, known @ w + bias, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("form", FORMS)
def test_edges_hold_equal_shares(form, device):
    layer = keras.layers.Discretization(num_bins=5)
    layer.adapt(FORMS[form]())
    shares = np.bincount(layer(X).reshape(-1), minlength=5) / X.size
    np.testing.assert_allclose(shares, 0.2, atol=0.02)
    again = keras.layers.Discretization.from_config(layer.get_config())
    np.testing.assert_array_equal(again(X), layer(X))
    assert again.num_bins == 5


def test_counts_with_weights(device):
    layer = keras.layers.CategoryEncoding(4, output_mode="count")
    index, weights = np.array([[0, 1, 1], [3, 3, 3]]), np.array([[0.5, 1, 2], [1, 1, 0.25]])
    expected = [[0.5, 3.0, 0.0, 0.0], [0.0, 0.0, 0.0, 2.25]]
    np.testing.assert_allclose(layer(index, count_weights=weights), expected)
    a, b = keras.Input((3,), dtype="int32"), keras.Input((3,))
    model = keras.Model([a, b], layer(a, count_weights=b))
    np.testing.assert_allclose(model.predict([index, weights], verbose=0), expected)
    assert keras.layers.CategoryEncoding(4, "one_hot")(2).tolist() == [[0.0, 0.0, 1.0, 0.0]]
    assert keras.layers.CategoryEncoding(4)([0, 2]).tolist() == [1.0, 0.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: keras.layers.Normalization(mean=1.0), ValueError, "both"),
        (lambda: keras.layers.Normalization(mean=[1.0], variance=[1.0, 2.0]), ValueError, "same"),
        (lambda: keras.layers.Normalization(axis=2).adapt(X), ValueError, "out of bounds"),
        (lambda: keras.layers.Normalization().adapt([]), ValueError, "no|empty"),
        (lambda: keras.layers.Normalization().adapt(iter([])), ValueError, "no batches"),
        (lambda: keras.layers.Normalization().adapt(None), TypeError, "array"),
        (lambda: keras.layers.Normalization().adapt([X, X[:, :3]]), ValueError, "expected data"),
        (lambda: keras.layers.Discretization(), ValueError, "either"),
        (lambda: keras.layers.Discretization([1.0], num_bins=2), ValueError, "either"),
        (lambda: keras.layers.Discretization([1.0]).adapt(X), ValueError, "num_bins"),
        (lambda: keras.layers.Discretization(num_bins=3)(X), ValueError, "adapt"),
        (lambda: keras.layers.Discretization([1.0], output_mode="x"), ValueError, "output_mode"),
        (lambda: keras.layers.CategoryEncoding(), ValueError, "num_tokens"),
        (lambda: keras.layers.CategoryEncoding(3, sparse=True), ValueError, "sparse"),
        (
            lambda: keras.layers.CategoryEncoding(3)([[1]], count_weights=np.ones((1, 1))),
            ValueError,
            "count_weights",
        ),
    ],
)
def test_mistakes(call, error, words):
    with pytest.raises(error, match=words):
        call()
