"""`predict(mc_samples=...)`: mean and deviation over passes with active dropout."""

import numpy as np
import pytest

import dnnfast as keras
from dnnfast import layers


class AlwaysDropout(layers.Dropout):
    """Drops in prediction, too."""

    def call(self, inputs, training=None):
        return super().call(inputs, training=True)


def network(dropout=layers.Dropout, rate=0.3):
    keras.utils.set_random_seed(5)
    model = keras.Sequential([keras.Input((20,))])
    for width in (33, 17):
        model.add(layers.Dense(width, use_bias=False))
        model.add(layers.BatchNormalization())
        model.add(layers.Activation("elu"))
        model.add(dropout(rate, name=f"drop_{width}"))
    model.add(layers.Dense(3, activation="softmax"))
    return model


def rows(n=70):
    return np.random.default_rng(0).standard_normal((n, 20)).astype(np.float32)


@pytest.mark.parametrize("batch_size", [None, 16])
def test_equals_a_loop_of_passes(batch_size):
    x, samples = rows(), 12
    mean, deviation = network().predict(x, batch_size=batch_size, mc_samples=samples)
    single = network(AlwaysDropout)
    passes = [single.predict(x, batch_size=batch_size, verbose=0) for _ in range(samples)]
    np.testing.assert_allclose(mean, np.mean(passes, 0, np.float64), rtol=2e-7)
    np.testing.assert_allclose(deviation, np.std(passes, 0, np.float64), rtol=5e-7, atol=1e-12)
    assert mean.dtype == deviation.dtype == np.float32 and deviation.max() > 0


def test_draws_anew_and_again_after_the_same_seed():
    x, model = rows(), network()
    first, second = (model.predict(x, mc_samples=5) for _ in range(2))
    assert not np.array_equal(first, second)
    again = network().predict(x, mc_samples=5)
    assert np.array_equal(first, again)
    # A sampling prediction is as many as its passes.
    one = network(AlwaysDropout)
    one.predict(x, mc_samples=5)
    assert np.array_equal(one.predict(x, mc_samples=5)[0], second[0])


def test_without_dropout_there_is_no_deviation():
    x, model = rows(), network(rate=0.0)
    mean, deviation = model.predict(x, mc_samples=7)
    assert np.array_equal(mean, model.predict(x)) and not deviation.any()
    mean, deviation = network().predict(x, mc_samples=1)
    assert not deviation.any() and not np.array_equal(mean, network().predict(x))


def test_several_outputs_and_steps():
    keras.utils.set_random_seed(1)
    x = keras.Input((20,))
    hidden = layers.Dropout(0.5)(layers.Dense(9, activation="relu")(x))
    outputs = {"a": layers.Dense(2)(hidden), "b": layers.Dense(4)(x)}
    model = keras.Model(x, outputs)
    mean, deviation = model.predict(rows(), batch_size=8, steps=2, mc_samples=6)
    plain = model.predict(rows()[:16])
    assert mean["a"].shape == deviation["a"].shape == (16, 2)
    assert deviation["a"].all() and not deviation["b"].any()
    assert np.array_equal(mean["b"], plain["b"])


def test_callbacks_see_each_batch():
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_predict_batch_end(self, batch, logs=None):
            seen.append(logs["outputs"])

    x = rows()
    mean, deviation = network().predict(x, batch_size=32, callbacks=[Watch()], mc_samples=4)
    assert np.array_equal(np.concatenate([m for m, _ in seen]), mean)
    assert np.array_equal(np.concatenate([d for _, d in seen]), deviation)
    without = network().predict(x, batch_size=32, mc_samples=4)
    assert np.array_equal(without[0], mean) and np.array_equal(without[1], deviation)


@pytest.mark.parametrize("value", [0, -3, 2.0, "10", True, [1]])
def test_mc_samples_must_be_a_positive_integer(value):
    with pytest.raises(ValueError, match=r"mc_samples must be an integer of at least 1, got"):
        network().predict(rows(), mc_samples=value)


def test_the_model_stays_as_it_was():
    x, model = rows(), network()
    before = [w.copy() for w in model.get_weights()]
    expected = model.predict(x)
    model.predict(x, mc_samples=3)
    assert np.array_equal(model.predict(x), expected)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_reference_device():
    x, before = rows(), keras.config.device()
    native = network().predict(x, mc_samples=4)
    try:
        keras.config.set_device("reference")
        exact = network().predict(x, mc_samples=4)
    finally:
        keras.config.set_device(before)
    np.testing.assert_allclose(native, exact, rtol=1e-4, atol=1e-6)
