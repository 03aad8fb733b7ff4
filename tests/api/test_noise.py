"""Noise layers: distributions, modes, seeds, Monte Carlo prediction."""

import numpy as np
import pytest

import dnnfast as keras

ONES = np.full((400, 50), 2.0, np.float32)
LIMIT = -1.6732632423543772 * 1.0507009873554805


def check_moments(y, mean, deviation):
    """Within five standard errors."""
    error = deviation / np.sqrt(y.size)
    assert abs(y.mean() - mean) < 5 * error
    assert abs(y.std() - deviation) < 5 * error


def test_normal_noise(device):
    y = keras.layers.GaussianNoise(0.5)(ONES, training=True)
    check_moments(y, 2.0, 0.5)
    # A share of 4.55 % of a normal distribution lies beyond two standard deviations.
    assert abs((np.abs(y - 2.0) > 1.0).mean() - 0.0455) < 5 * np.sqrt(0.0455 / y.size)
    y = keras.layers.GaussianDropout(0.2)(ONES, training=True)
    check_moments(y, 2.0, 2.0 * np.sqrt(0.25))


def test_dropout_keeps_the_mean(device):
    y = keras.layers.Dropout(0.3)(ONES, training=True)
    assert set(np.unique(y.round(5))) == {0.0, np.float32(2 / 0.7).round(5)}
    check_moments(y, 2.0, 2.0 * np.sqrt(0.3 / 0.7))
    assert (keras.layers.Dropout(1.0)(ONES, training=True) == 0).all()
    assert (keras.layers.Dropout(0.0)(ONES, training=True) == ONES).all()


def test_alpha_dropout_keeps_moments(device):
    x = np.random.default_rng(0).normal(size=(400, 50)).astype(np.float32)
    y = keras.layers.AlphaDropout(0.2)(x, training=True)
    check_moments(y, 0.0, 1.0)
    a = (0.8 * (1 + 0.2 * LIMIT**2)) ** -0.5
    lowest = a * LIMIT - a * 0.2 * LIMIT
    share = np.isclose(y, lowest, atol=1e-5).mean()
    assert abs(share - 0.2) < 5 * np.sqrt(0.16 / y.size)


def test_random_slopes(device):
    y = keras.layers.RReLU(0.25, 0.75)(-ONES, training=True) / -2.0
    assert y.min() >= 0.25 and y.max() < 0.75
    check_moments(y, 0.5, 0.5 / np.sqrt(12))
    assert (keras.layers.RReLU(0.25, 0.75)(ONES, training=True) == ONES).all()


@pytest.mark.parametrize(
    ("shape", "same_along"), [((None, 1), 1), ((1, None), 0), ((400, 50), None)]
)
@pytest.mark.parametrize("cls", ["Dropout", "AlphaDropout"])
def test_shapes_of_noise(cls, shape, same_along, device):
    y = getattr(keras.layers, cls)(0.5, noise_shape=shape)(ONES, training=True)
    assert len(np.unique(y.round(5))) == 2
    along = [len(np.unique(np.take(y, 0, 1 - axis).round(5))) for axis in (0, 1)]
    expected = [1 if axis == same_along else 2 for axis in (0, 1)]
    assert along == expected


def test_columns_are_dropped_as_a_whole(device):
    x = np.ones((40, 6, 20), np.float32)
    y = keras.layers.SpatialDropout1D(0.5)(x, training=True)
    assert set(np.unique(y)) == {0.0, 2.0}
    np.testing.assert_array_equal(y, np.repeat(y[:, :1], 6, 1))
    assert abs(y.mean() - 1.0) < 5 / np.sqrt(800)


NOISE = [
    ("AlphaDropout", {"rate": 0.3}),
    ("Dropout", {"rate": 0.3, "noise_shape": (None, 1)}),
    ("GaussianDropout", {"rate": 0.3}),
    ("GaussianNoise", {"stddev": 0.3}),
    ("RReLU", {}),
]


@pytest.mark.parametrize(("name", "options"), NOISE)
def test_engines_draw_the_same(name, options):
    x = np.random.default_rng(0).normal(size=(8, 6)).astype(np.float32)
    results = []
    for engine in ("reference", "cpu"):
        keras.config.set_device(engine)
        keras.utils.set_random_seed(3)
        layer = getattr(keras.layers, name)(**options, seed=5)
        results.append(layer(x, training=True))
    np.testing.assert_allclose(results[0], results[1], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("name", "options"), NOISE)
def test_noise_in_models(name, options, device):
    x = -np.ones((4, 6), np.float32)
    layer = getattr(keras.layers, name)(**options)
    model = keras.Sequential([keras.Input((6,)), layer, keras.layers.Dense(2)])
    usual = model.predict(x, verbose=0)
    np.testing.assert_array_equal(model.predict(x, verbose=0), usual)
    assert not np.array_equal(model(x, training=True), usual)
    assert not np.array_equal(model(x, training=True), model(x, training=True))
    mean, deviation = model.predict(x, mc_samples=50, verbose=0)
    assert (deviation > 0).all()
    model.compile("sgd", "mse")
    model.fit(x, np.zeros((4, 2)), verbose=0)


@pytest.mark.parametrize("name", ["MCDropout", "MCAlphaDropout"])
def test_noise_that_stays_in_prediction(name, device):
    x = np.ones((4, 50), np.float32)
    layer = getattr(keras.layers, name)(0.5)
    model = keras.Sequential([keras.Input((50,)), layer])
    a, b = (model.predict(x, verbose=0) for _ in range(2))
    assert not np.array_equal(a, b)
    assert isinstance(layer, getattr(keras.layers, name[2:]))


def test_seeds_tell_layers_apart(device):
    x = np.ones((4, 50), np.float32)

    def drawn(*seeds):
        keras.utils.set_random_seed(1)
        inputs = keras.Input((50,))
        outputs = [keras.layers.GaussianNoise(0.5, seed=seed)(inputs) for seed in seeds]
        return keras.Model(inputs, outputs)(x, training=True)

    a, b = drawn(None, None)
    assert not np.array_equal(a, b)
    a, b = drawn(5, 5)
    np.testing.assert_array_equal(a, b)
    a, b = drawn(5, 6)
    assert not np.array_equal(a, b)
    np.testing.assert_array_equal(drawn(5, 6)[0], a)


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: keras.layers.Dropout(-0.1), "rate"),
        (lambda: keras.layers.Dropout("a"), "rate"),
        (lambda: keras.layers.Dropout(0.5, noise_shape=(0, 1)), "noise_shape"),
        (lambda: keras.layers.Dropout(0.5, noise_shape="ab"), "noise_shape"),
        (lambda: keras.layers.Dropout(0.5, noise_shape=(1,))(ONES, training=True), "as many"),
        (lambda: keras.layers.AlphaDropout(1.0), "rate"),
        (lambda: keras.layers.GaussianDropout(1.0), "rate"),
        (lambda: keras.layers.GaussianNoise(1.5), "stddev"),
        (lambda: keras.layers.RReLU(0.5, 0.25), "upper"),
        (lambda: keras.layers.SpatialDropout1D(0.5)(ONES), "3 axes"),
    ],
)
def test_mistakes(make, word):
    with pytest.raises(ValueError, match=word):
        make()
