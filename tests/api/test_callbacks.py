"""Callbacks: the order of hooks, what they may change, and what each of ours does."""

import csv

import numpy as np
import pytest

import dnnfast as keras
from api import hooks
from api.data import classes, classifier, regression

X, Y = classes(n=64)


def small(rate=0.1):
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3, "softmax")])
    model.compile(keras.optimizers.SGD(rate), "sparse_categorical_crossentropy")
    return model


def test_order_of_hooks(device):
    assert hooks.recorded(keras) == hooks.expected()


def test_hooks_every_some_steps(device):
    found = [line for line in hooks.recorded(keras, steps_per_execution=2) if "train_batch" in line]
    names = "loss mae"
    assert found == ["train_batch_begin 0", f"train_batch_end 1 {names}"] * 4


def test_batches_that_callbacks_count_are_of_32(device):
    seen = []
    spy = keras.callbacks.LambdaCallback(on_test_batch_end=lambda batch, logs: seen.append(batch))
    model, options = classifier(), {"verbose": 0, "callbacks": [spy]}
    model.evaluate(X, Y, **options)
    assert seen == [0, 1]
    model.fit(X, Y, validation_data=(X, Y), **options)
    assert seen == [0, 1] * 2
    model.fit(X, Y, batch_size=16, validation_data=(X, Y), **options)
    assert seen[4:] == [0, 1, 2, 3]
    model.fit(X, Y, validation_data=(X, Y), validation_batch_size=48, **options)
    assert seen[8:] == [0, 1]


def test_the_hooks_of_an_event_share_their_logs(device):
    order = []

    class Adds(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            order.append("adds")
            logs["lr"] = 0.5 + epoch

    class Reads(keras.callbacks.Callback):
        def __init__(self):  # without super
            pass

        def on_epoch_end(self, epoch, logs=None):
            order.append(logs["lr"])

    mine = keras.callbacks.History()
    model = classifier()
    found = model.fit(X, Y, epochs=2, verbose=0, callbacks=[mine, [Adds(), [Reads()]]])
    assert found is mine is model.history
    assert order == ["adds", 0.5, "adds", 1.5]
    assert found.history["lr"] == found.history["learning_rate"] == [0.5, 1.5]
    assert "learning_rate" not in list(found.history)


def test_batch_logs_are_running_means(device):
    seen = []

    class Spy(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(logs["loss"])

    x, y = X[:48], Y[:48]
    model = classifier(optimizer=keras.optimizers.SGD(0.0))
    model.fit(x, y, batch_size=16, shuffle=False, verbose=0, callbacks=[Spy()])
    single = [model.evaluate(x[i : i + 16], y[i : i + 16], verbose=0)[0] for i in (0, 16, 32)]
    means = np.cumsum(single) / np.arange(1, 4)
    np.testing.assert_allclose(seen, means, rtol=1e-5)


def test_a_callback_without_batch_hooks_leaves_whole_slices_to_the_engine():
    for callback in (
        keras.callbacks.EarlyStopping("loss"),
        keras.callbacks.ModelCheckpoint("a.keras"),
        keras.callbacks.BackupAndRestore("folder"),
        keras.callbacks.TerminateOnNaN(),
        keras.callbacks.CSVLogger("a.csv"),
        keras.callbacks.ReduceLROnPlateau(),
        keras.callbacks.LearningRateScheduler(lambda epoch: 0.1),
        keras.callbacks.LambdaCallback(on_epoch_end=print),
        keras.callbacks.ProgbarLogger(),
        keras.callbacks.Callback(),
    ):
        assert not keras.callbacks.CallbackList([callback]).wants_batches("train")
    for callback in (
        keras.callbacks.ModelCheckpoint("a.keras", save_freq=3),
        keras.callbacks.LambdaCallback(on_train_batch_end=print),
    ):
        assert keras.callbacks.CallbackList([callback]).wants_batches("train")


@pytest.mark.parametrize("how", ["assign", "attribute", "set_value", "lr"])
def test_a_rate_set_in_a_batch_hook_holds_from_the_next_step(how, device):
    class Half(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            optimizer, rate = self.model.optimizer, 0.1 / 2 ** (batch + 1)
            if how == "assign":
                optimizer.learning_rate.assign(rate)
            elif how == "attribute":
                optimizer.learning_rate = rate
            elif how == "lr":
                optimizer.lr = rate
            else:
                keras.backend.set_value(optimizer.learning_rate, rate)

    model, expected = small(), small()
    model.fit(X, Y, batch_size=16, shuffle=False, verbose=0, callbacks=[Half()])
    for i in range(4):
        expected.optimizer.learning_rate = 0.1 / 2**i
        expected.train_on_batch(X[16 * i : 16 * i + 16], Y[16 * i : 16 * i + 16])
    for a, b in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_momentum_set_in_a_batch_hook_holds_from_the_next_step(device):
    class Set(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.optimizer.momentum = 0.5 + 0.1 * batch

    def build():
        model = small()
        optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
        model.compile(optimizer, "sparse_categorical_crossentropy")
        return model

    model = build()
    model.fit(X, Y, batch_size=16, shuffle=False, verbose=0, callbacks=[Set()])
    layer = build().layers[0]
    w = [v.astype(np.float64) for v in layer.get_weights()]
    velocity, momentum = [np.zeros_like(v) for v in w], 0.9
    for i in range(4):
        x, y = X[16 * i : 16 * i + 16].astype(np.float64), Y[16 * i : 16 * i + 16]
        z = x @ w[0] + w[1]
        p = np.exp(z - z.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        dz = (p - np.eye(3)[y]) / 16
        for k, gradient in enumerate((x.T @ dz, dz.sum(0))):
            velocity[k] = momentum * velocity[k] - 0.1 * gradient
            w[k] += velocity[k]
        momentum = 0.5 + 0.1 * i
    for a, b in zip(model.get_weights(), w, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_early_stopping_restores_the_best_weights(device):
    kept, losses = [], [3.0, 1.0, 2.0, 0.99, 2.0, 2.0, 2.0]

    class Script(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            kept.append(self.model.get_weights())
            logs["val_loss"] = losses[epoch]

    model = classifier()
    stop = keras.callbacks.EarlyStopping(
        patience=2, min_delta=0.1, restore_best_weights=True, verbose=1
    )
    history = model.fit(X, Y, epochs=9, callbacks=[Script(), stop], verbose=0)
    assert (stop.stopped_epoch, stop.best_epoch, stop.best) == (3, 1, 1.0)
    assert len(history.history["loss"]) == 4
    for a, b in zip(model.get_weights(), kept[1], strict=True):
        np.testing.assert_array_equal(a, b)


def test_directions():
    from dnnfast.callbacks.monitor import direction

    for name in ("loss", "val_loss", "mae", "val_out_loss", "root_mean_squared_error"):
        assert direction(name) == "min"
    for name in ("accuracy", "val_acc", "out_sparse_categorical_accuracy", "auc", "val_recall"):
        assert direction(name) == "max"
    assert direction("lr") is None
    model = classifier()
    with pytest.raises(ValueError, match='mode="max"'):
        model.fit(X, Y, verbose=0, callbacks=[keras.callbacks.EarlyStopping("gini")])
    with pytest.warns(UserWarning, match="mode must be"):
        keras.callbacks.EarlyStopping(mode="up")
    with pytest.warns(UserWarning, match="'val_loss', which is not among"):
        model.fit(X, Y, verbose=0, callbacks=[keras.callbacks.EarlyStopping()])


def test_learning_rates(device, capsys):
    calls = keras.callbacks
    model = classifier()
    scheduler = calls.LearningRateScheduler(lambda epoch: 0.1 * 0.5**epoch, verbose=1)
    history = model.fit(X, Y, epochs=3, verbose=0, callbacks=[scheduler])
    assert history.history["lr"] == pytest.approx([0.1, 0.05, 0.025])
    assert "Epoch 3: the learning rate is set to 0.025" in capsys.readouterr().out
    scheduler = calls.LearningRateScheduler(lambda epoch, rate: rate * 2)
    history = model.fit(X, Y, epochs=2, verbose=0, callbacks=[scheduler])
    assert history.history["learning_rate"] == pytest.approx([0.05, 0.1])
    for bad in (None, "0.1", [0.1, 0.2]):
        scheduler = calls.LearningRateScheduler({0: bad}.get)
        with pytest.raises(ValueError, match="expected a number"):
            model.fit(X, Y, verbose=0, callbacks=[scheduler])
    with pytest.raises(TypeError, match="function of the epoch"):
        calls.LearningRateScheduler(0.1)
    plateau = calls.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=1e9, verbose=1)
    history = model.fit(X, Y, epochs=4, verbose=0, callbacks=[plateau])
    assert history.history["lr"] == pytest.approx([0.1, 0.1, 0.05, 0.025])
    assert float(model.optimizer.lr) == pytest.approx(0.0125)
    for factor in (1.0, 0.0):
        with pytest.raises(ValueError, match="factor"):
            calls.ReduceLROnPlateau(factor=factor)
    assert calls.ReduceLROnPlateau(epsilon=0.5).min_delta == 0.5


def test_csv_logger(tmp_path, device):
    path = tmp_path / "new" / "log.csv"
    model = classifier()
    for append in (False, True):
        logger = keras.callbacks.CSVLogger(path, append=append)
        history = model.fit(
            X, Y, epochs=2, validation_data=(X, Y), verbose=0, callbacks=[logger]
        ).history
    rows = list(csv.DictReader(path.open()))
    assert list(rows[0]) == ["epoch", "accuracy", "loss", "val_accuracy", "val_loss"]
    assert [row["epoch"] for row in rows] == ["0", "1"] * 2
    assert [float(row["val_loss"]) for row in rows[2:]] == history["val_loss"]


def test_a_loss_that_is_not_finite(device, capsys):
    x = X.copy()
    x[40] = np.nan
    model = classifier()
    with pytest.raises(FloatingPointError, match="epoch 1, batch 3 of 4") as error:
        model.fit(x, Y, batch_size=16, shuffle=False, verbose=0)
    assert error.value.step == 2
    ended = []
    callbacks = [
        keras.callbacks.TerminateOnNaN(),
        keras.callbacks.LambdaCallback(on_train_end=lambda logs: ended.append(logs)),
    ]
    options = {"batch_size": 16, "shuffle": False, "verbose": 0}
    history = model.fit(x, Y, epochs=5, callbacks=callbacks, **options)
    assert np.isnan(history.history["loss"]).all()
    assert len(history.history["loss"]) == len(ended) == 1
    assert "Batch 2: the loss is not finite" in capsys.readouterr().out
    assert int(model.optimizer.iterations) == 4
    assert np.isfinite(model.predict(X, verbose=0)).all()
    with pytest.raises(RuntimeError, match="Batch 2"):
        model.fit(x, Y, callbacks=[keras.callbacks.TerminateOnNaN(raise_error=True)], **options)
    # A callback that looks at every batch sees it, too.
    seen = []
    spy = keras.callbacks.LambdaCallback(on_train_batch_end=lambda b, logs: seen.append(logs))
    model.fit(x, Y, callbacks=[spy, keras.callbacks.TerminateOnNaN()], **options)
    assert [np.isfinite(logs["loss"]) for logs in seen] == [True, True, False]


def test_lambda_callback():
    with pytest.raises(TypeError, match=r"on_epoch_end"):
        keras.callbacks.LambdaCallback(on_epoch_ends=print)
    with pytest.raises(TypeError, match="function"):
        keras.callbacks.LambdaCallback(on_epoch_end=3)


def test_a_list_of_callbacks_in_a_loop_of_ones_own():
    seen = []

    class Spy(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append((epoch, logs, self.params["epochs"]))

        def on_train_batch_end(self, batch, logs=None):
            seen.append((batch, logs))

    calls = keras.callbacks.CallbackList([Spy()], add_history=True, model=classifier(), epochs=3)
    calls.on_train_begin()
    calls.on_epoch_begin(0)
    calls.on_train_batch_end(1, {"loss": 2.0})
    calls.on_epoch_end(0, logs={"loss": 1.0})
    calls.on_train_end()
    assert seen == [(1, {"loss": 2.0}), (0, {"loss": 1.0}, 3)]
    assert calls.history.history == {"loss": [1.0]}
    x, y = regression()
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    calls = keras.callbacks.CallbackList(Spy(), add_history=True, model=model, epochs=1)
    assert len(model.fit(x, y, verbose=0, callbacks=calls).history["loss"]) == 1
