"""Training: results, histories, weights and callbacks."""

import numpy as np
import pytest

import dnnfast as keras
from api.data import classes, classifier, regression


def test_learns(device):
    x, y = classes()
    model = classifier()
    history = model.fit(x, y, epochs=15, validation_split=0.2, verbose=0)
    assert list(history.history) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert history.epoch == list(range(15))
    assert history.history["loss"][-1] < 0.5 * history.history["loss"][0]
    loss, accuracy = model.evaluate(x, y, verbose=0)
    assert accuracy > 0.9
    predicted = model.predict(x)
    assert accuracy == pytest.approx(np.mean(predicted.argmax(1) == y), abs=1e-6)
    picked = predicted[np.arange(len(y)), y].astype(np.float64)
    assert loss == pytest.approx(-np.log(picked).mean(), rel=1e-5)
    assert model.history is history


@pytest.mark.parametrize("name", ["sgd", "rmsprop", "adam", "nadam"])
def test_devices_agree(name):
    x, y = classes()
    results = []
    for device in ("reference", "cpu"):
        keras.config.set_device(device)
        keras.utils.set_random_seed(3)
        model = keras.Sequential(
            [
                keras.Input((6,)),
                # Without bias: before normalization its gradient is nothing but rounding errors.
                keras.layers.Dense(16, use_bias=False, kernel_regularizer="l2"),
                keras.layers.BatchNormalization(),
                keras.layers.LeakyReLU(),
                keras.layers.Dropout(0.3),
                keras.layers.Dense(3, activation="softmax"),
            ]
        )
        model.compile(name, "sparse_categorical_crossentropy", metrics=["accuracy"])
        history = model.fit(x, y, epochs=3, batch_size=30, verbose=0).history
        results.append((history["loss"], *model.get_weights()))
    for reference, out in zip(*results, strict=True):
        np.testing.assert_allclose(out, reference, rtol=2e-3, atol=2e-4)


def test_moving_to_another_device_keeps_everything():
    x, y = classes()

    def train(devices):
        keras.utils.set_random_seed(5)
        model = classifier(optimizer=keras.optimizers.Nadam(0.01))
        for device in devices:
            keras.config.set_device(device)
            model.fit(x, y, epochs=1, verbose=0)
        assert int(model.optimizer.iterations) == 7 * len(devices)
        return model.get_weights()

    for a, b in zip(train(["cpu"] * 3), train(["cpu", "reference", "cpu"]), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)


def test_same_seed_same_bits(device):
    x, y = classes()
    results = []
    for _ in range(2):
        keras.utils.set_random_seed(11)
        model = classifier()
        model.fit(x, y, epochs=2, verbose=0)
        results.append(model.get_weights())
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)


def test_two_fits_equal_one(device):
    x, y = classes()
    results = []
    for parts in ([4], [1, 2, 1]):
        keras.utils.set_random_seed(11)
        model = classifier()
        done = 0
        for epochs in parts:
            model.fit(x, y, initial_epoch=done, epochs=done + epochs, verbose=0)
            done += epochs
        results.append(model.get_weights())
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)


def test_recompiling_with_the_same_optimizer_keeps_its_state(device):
    x, y = classes()
    model = classifier()
    model.fit(x, y, epochs=1, verbose=0)
    optimizer = model.optimizer
    steps = int(optimizer.iterations)
    slot = optimizer.variables[2].numpy()
    model.compile(optimizer, "sparse_categorical_crossentropy")
    model.evaluate(x, y, verbose=0)
    assert int(optimizer.iterations) == steps == 7
    np.testing.assert_array_equal(optimizer.variables[2].numpy(), slot)
    model.compile("adam", "sparse_categorical_crossentropy")
    assert int(model.optimizer.iterations) == 0


def test_frozen_layers(device):
    x, y = classes()
    model = classifier()
    model.layers[0].trainable = False
    with pytest.warns(UserWarning, match="next `compile`"):
        model.fit(x, y, epochs=1, verbose=0)
    model.compile("sgd", "sparse_categorical_crossentropy")
    before = model.get_weights()
    model.fit(x, y, epochs=1, verbose=0)
    after = model.get_weights()
    np.testing.assert_array_equal(after[0], before[0])
    assert (after[2] != before[2]).any()
    assert len(model.trainable_weights) == len(model.non_trainable_weights) == 2
    model.trainable = False
    assert model.trainable_weights == []


def test_frozen_batch_normalization_keeps_its_statistics(device):
    x, y = regression()
    bn = keras.layers.BatchNormalization()
    model = keras.Sequential([keras.Input((6,)), bn, keras.layers.Dense(1)])
    bn.trainable = False
    model.compile(keras.optimizers.SGD(1e-4), "mse")
    model.fit(x + 5, y, epochs=1, verbose=0)
    np.testing.assert_array_equal(bn.get_weights()[2], np.zeros(6))
    bn.trainable = True
    model.compile(keras.optimizers.SGD(1e-4), "mse")
    model.fit(x + 5, y, epochs=1, verbose=0)
    assert bn.get_weights()[2].min() > 0


def test_weights_of_samples_and_classes(device):
    x, y = classes()
    weight = np.where(y == 1, 3.0, 0.5)
    results = []
    for options in ({"sample_weight": weight}, {"class_weight": {0: 0.5, 1: 3.0, 2: 0.5}}):
        keras.utils.set_random_seed(2)
        model = classifier()
        model.fit(x, y, epochs=2, verbose=0, **options)
        results.append(model.get_weights())
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)
    picked = model.predict(x)[np.arange(len(y)), y].astype(np.float64)
    loss = model.evaluate(x, y, sample_weight=weight, verbose=0)[0]
    assert loss == pytest.approx(np.mean(-np.log(picked) * weight), rel=1e-5)


def test_penalties_are_part_of_the_loss(device):
    x, y = regression()
    layer = keras.layers.Dense(1, kernel_regularizer=keras.regularizers.L1L2(0.1, 0.2))
    model = keras.Sequential([keras.Input((6,)), layer])
    model.compile("sgd", "mse", metrics=["mse"])
    loss, mse = model.evaluate(x, y, verbose=0)
    kernel = layer.get_weights()[0].astype(np.float64)
    expected = mse + 0.1 * np.abs(kernel).sum() + 0.2 * np.square(kernel).sum()
    assert loss == pytest.approx(expected, rel=1e-5)


def test_labels_in_many_forms(device):
    x, y = classes()
    losses = []
    for form in (
        y,
        y[:, None],
        y.astype(np.uint8),
        y.astype(np.float64),
        y.tolist(),
        y.astype(">i4"),
    ):
        keras.utils.set_random_seed(1)
        losses.append(classifier().evaluate(x, form, verbose=0)[0])
    keras.utils.set_random_seed(1)
    one_hot = classifier(loss="categorical_crossentropy")
    losses.append(one_hot.evaluate(x, keras.utils.to_categorical(y), verbose=0)[0])
    assert losses == pytest.approx([losses[0]] * len(losses))


def test_data_in_many_forms(device):
    x = np.arange(60, dtype=np.uint8).reshape(10, 6)
    model = classifier()
    expected = model.predict(x)
    wide = np.zeros((20, 12), np.float32)
    wide[::2, ::2] = x
    for form in (
        x.astype(np.float64),
        x.astype(np.float16),
        x.astype(">f4"),
        x.tolist(),
        wide[::2, ::2],
        np.asfortranarray(x),
    ):
        np.testing.assert_allclose(model.predict(form), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.predict(x[::-1])[::-1], expected, rtol=1e-5, atol=1e-6)


def test_binary_labels_as_bools(device):
    x, y = classes(count=2)
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y.astype(bool), epochs=2, verbose=0)
    assert list(history.history) == ["loss", "accuracy"]
    predicted = model.predict(x)[:, 0] > 0.5
    assert model.evaluate(x, y, verbose=0)[1] == pytest.approx(np.mean(predicted == y), abs=1e-6)


def test_validation_options(device):
    x, y = classes()
    model = classifier()
    seen = []

    class Spy(keras.callbacks.Callback):
        def on_test_begin(self, logs=None):
            seen.append("test")

    history = model.fit(
        x,
        y,
        epochs=4,
        validation_data=(x, y),
        validation_freq=2,
        verbose=0,
        callbacks=Spy(),
    )
    assert len(history.history["val_loss"]) == len(seen) == 2
    assert history.history["val_loss"][-1] == pytest.approx(model.evaluate(x, y, verbose=0)[0])
    weight = np.ones(len(y))
    model.fit(x, y, validation_data=(x, y, weight), validation_freq=[1], verbose=0)


def test_steps_per_epoch_goes_on_where_it_stopped(device):
    x, y = classes()
    results = []
    for options in ({"epochs": 1}, {"epochs": 7, "steps_per_epoch": 1}):
        keras.utils.set_random_seed(4)
        model = classifier()
        model.fit(x, y, batch_size=32, verbose=0, **options)
        results.append(model.get_weights())
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)


def test_hooks_and_logs(device):
    x, y = classes(n=64)
    calls = []

    class Spy(keras.callbacks.Callback):
        def __init__(self):
            pass

        def on_train_begin(self, logs=None):
            calls.append("train_begin")

        def on_epoch_begin(self, epoch, logs=None):
            calls.append(f"epoch_begin {epoch}")

        def on_batch_end(self, batch, logs=None):
            calls.append(f"batch {batch} {sorted(logs)}")

        def on_epoch_end(self, epoch, logs=None):
            logs["lr"] = float(self.model.optimizer.learning_rate)
            self.model.stop_training = epoch == 1

        def on_train_end(self, logs=None):
            calls.append("train_end")

    history = classifier().fit(x, y, epochs=5, verbose=0, callbacks=[Spy()])
    one_epoch = [f"batch {i} ['accuracy', 'loss']" for i in (0, 1)]
    expected = [
        "train_begin",
        "epoch_begin 0",
        *one_epoch,
        "epoch_begin 1",
        *one_epoch,
        "train_end",
    ]
    assert calls == expected
    assert history.history["lr"] == history.history["learning_rate"] == [0.01, 0.01]


def test_batch_hooks_do_not_change_the_result(device):
    x, y = classes()

    class Spy(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            self.model.get_weights()

    results = []
    for callbacks in (None, [Spy()]):
        keras.utils.set_random_seed(4)
        model = classifier()
        history = model.fit(x, y, epochs=2, verbose=0, callbacks=callbacks)
        results.append([history.history["loss"], *model.get_weights()])
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)


def test_learning_rate_set_in_a_batch_hook(device):
    x, y = classes(n=64)

    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            keras.backend.set_value(self.model.optimizer.lr, 0.0)

    a, b = (classifier(optimizer=keras.optimizers.SGD(0.1)) for _ in range(2))
    b.set_weights(a.get_weights())
    a.fit(x, y, verbose=0, callbacks=[Stop()], shuffle=False)
    b.train_on_batch(x[:32], y[:32])
    for u, v in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_array_equal(u, v)


def test_batches(device):
    x, y = classes()
    model = classifier()
    loss, accuracy = model.test_on_batch(x, y)
    assert [loss, accuracy] == pytest.approx(model.evaluate(x, y, verbose=0), rel=1e-6)
    model.reset_metrics()
    first = model.train_on_batch(x, y, return_dict=True)
    assert first["loss"] == pytest.approx(loss, rel=1e-6)
    assert int(model.optimizer.iterations) == 1
    np.testing.assert_array_equal(model.predict_on_batch(x), model.predict(x, batch_size=200))
    np.testing.assert_allclose(model(x), model.predict(x), rtol=1e-6)


def test_interrupt_leaves_a_usable_model(device):
    x, y = classes()
    model = classifier()

    class Interrupt(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 3:
                raise KeyboardInterrupt

    before = model.get_weights()[0]
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, epochs=3, verbose=0, callbacks=[Interrupt()])
    assert int(model.optimizer.iterations) == 4
    assert (model.get_weights()[0] != before).any()
    model.fit(x, y, verbose=0)


@pytest.mark.parametrize("verbose", [0, 1, 2, "auto"])
def test_output(verbose, capsys):
    x, y = classes()
    classifier().fit(x, y, epochs=2, verbose=verbose)
    text = capsys.readouterr().out
    if verbose == 0:
        assert text == ""
    elif verbose == 1:
        assert "7/7" in text
        assert "━" in text
    else:
        assert len(text.splitlines()) == 2
        assert text.startswith("Epoch 1/2 - ")
        assert "loss: " in text
        assert "samples/s" in text


def test_custom_class_weights_need_labels(device):
    x, y = regression()
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(2)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="dict"):
        model.fit(x, np.stack([y, y], 1), class_weight=[1, 2], verbose=0)


def test_monte_carlo_dropout_draws_anew_at_every_call(device):
    class MCDropout(keras.layers.Dropout):
        def call(self, inputs):
            return super().call(inputs, training=True)

    x = np.random.default_rng(0).standard_normal((40, 6)).astype(np.float32)

    def model(dropout):
        dense = keras.layers.Dense
        return keras.Sequential([keras.Input((6,)), dense(50, "relu"), dropout, dense(2)])

    always = model(MCDropout(0.5))
    samples = np.stack([always.predict(x, batch_size=16, verbose=0) for _ in range(50)])
    assert (samples.std(0) > 0).all()
    assert not np.array_equal(samples[0], samples[1])

    usual = model(keras.layers.Dropout(0.5))
    assert np.array_equal(usual.predict(x, verbose=0), usual.predict(x, verbose=0))
    samples = np.stack([usual(x, training=True) for _ in range(200)])
    deviation = samples.std(0) / np.sqrt(200)
    assert (np.abs(samples.mean(0) - usual(x)) < 6 * deviation).all()
