"""Steps that a model's class defines, single batches, and what is reported."""

import numpy as np
import pytest

import dnnfast as keras
from api.data import classes

X, Y = classes(n=70)


def build(cls=keras.Sequential, *layers, rate=0.1, metrics=("accuracy",)):
    keras.utils.set_random_seed(3)
    model = cls([keras.Input((6,)), *layers, keras.layers.Dense(3, "softmax")])
    model.compile(
        keras.optimizers.SGD(rate), "sparse_categorical_crossentropy", metrics=list(metrics)
    )
    return model


def check_same(a, b):
    for u, v in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_array_equal(u, v)


class Forwards(keras.Sequential):
    """Steps that only call those of the class above."""

    def train_step(self, data):
        return super().train_step(data)

    def test_step(self, data):
        return super().test_step(data)

    def predict_step(self, data):
        return super().predict_step(data)


def test_a_step_that_calls_super_changes_nothing(device):
    w = np.linspace(0.5, 1.5, 70)
    plain, own = build(), build(Forwards)
    found = []
    for model in (plain, own):
        history = model.fit(
            X, Y, epochs=3, sample_weight=w, validation_split=0.2, verbose=0
        ).history
        found.append([history[key] for key in history])
        found[-1].append(model.evaluate(X, Y, batch_size=32, verbose=0))
        found[-1].append(model.predict(X, batch_size=32, verbose=0))
    check_same(plain, own)
    assert list(history) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_a_step_that_changes_the_data(device):
    class Halved(keras.Sequential):
        def train_step(self, data):
            x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
            assert weight is None
            return super().train_step((0.5 * x, y))

    plain, own = build(), build(Halved)
    plain.fit(0.5 * X, Y, verbose=0)
    own.fit(X, Y, verbose=0)
    check_same(plain, own)


def test_a_step_that_adds_to_the_logs(device):
    class Adds(keras.Sequential):
        def train_step(self, data):
            logs = super().train_step(data)
            logs["twice"] = np.float32(2 * logs["loss"])
            return logs

    history = build(Adds).fit(X, Y, epochs=2, verbose=0).history
    np.testing.assert_allclose(history["twice"], 2 * np.array(history["loss"]), rtol=1e-6)
    assert isinstance(history["twice"][0], float)


def test_a_step_without_super_and_without_loss(device):
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)
            self.mean = keras.metrics.MeanSquaredError(name="mine")

        def call(self, inputs):
            return self.dense(inputs)

        def train_step(self, data):
            x, y = data
            predicted = self(x, training=True)
            error = predicted - y
            kernel, bias = self.dense.get_weights()
            gradients = [2 * x.T @ error / len(x), 2 * error.mean(0)]
            self.dense.set_weights([kernel - 0.01 * gradients[0], bias - 0.01 * gradients[1]])
            self.mean.update_state(y, predicted)
            return {metric.name: metric.result() for metric in self.metrics}

        def test_step(self, data):
            x, y = data
            self.mean.update_state(y, self(x))
            return {"mine": self.mean.result()}

    model, target = Own(), X.sum(1, keepdims=True)
    model.compile()
    history = model.fit(X, target, epochs=30, validation_data=(X, target), verbose=0).history
    assert list(history) == ["mine", "val_mine"]
    assert history["mine"][-1] < 0.1 * history["mine"][0]
    error = np.mean((model.predict(X) - target) ** 2)
    assert history["val_mine"][-1] == pytest.approx(error, rel=1e-4)
    assert model.evaluate(X, target, verbose=0) == pytest.approx(error, rel=1e-4)

    reference = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)])
    reference.compile(keras.optimizers.SGD(0.01), "mse")
    again = Own()
    again.compile()
    again(X[:1])
    reference.set_weights(again.get_weights())
    for each in (reference, again):
        each.fit(X, target, batch_size=16, shuffle=False, verbose=0)
    for a, b in zip(reference.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_a_loss_of_ones_own_step_that_is_not_finite(device):
    class Bad(keras.Sequential):
        def train_step(self, data):
            return {"loss": float("nan")}

    model = build(Bad)
    history = model.fit(X, Y, epochs=3, verbose=0, callbacks=[keras.callbacks.TerminateOnNaN()])
    assert np.isnan(history.history["loss"][0])
    assert history.epoch == [0]
    with pytest.raises(RuntimeError, match="train_step returned the loss nan"):
        model.fit(X, Y, verbose=0, callbacks=[keras.callbacks.TerminateOnNaN(raise_error=True)])
    with pytest.raises(ValueError, match="must return a dict"):
        build(type("Worse", (keras.Sequential,), {"train_step": lambda self, data: 3})).fit(X, Y)


def test_metrics_of_ones_own(device):
    class Measures(keras.Sequential):
        def __init__(self, layers):
            super().__init__(layers)
            self.share = keras.metrics.MeanSquaredError(name="share")

        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            assert y_pred.shape == (len(y), 3)
            loss = super().compute_metrics(x, y, y_pred, sample_weight)["loss"]
            self.share.update_state(np.eye(3)[y], y_pred)
            losses.append((loss, -np.log(y_pred[np.arange(len(y)), y]).mean(), len(y)))
            return self.get_metrics_result()

    losses = []
    # With dropout: the predictions are those of the very step that is trained.
    layers = (keras.layers.Dense(8, "relu"), keras.layers.Dropout(0.5))
    model = build(Measures, *layers)
    history = model.fit(X, Y, epochs=2, validation_data=(X, Y), verbose=0).history
    assert list(history)[:3] == ["loss", "accuracy", "share"]
    total = rows = 0
    for loss, mean, count in losses[:3]:
        total, rows = total + mean * count, rows + count
        assert loss == pytest.approx(total / rows, rel=1e-5)
    predicted = model.predict(X, verbose=0)
    share = np.mean((predicted - np.eye(3)[Y]) ** 2)
    assert history["val_share"][-1] == pytest.approx(share, rel=1e-5)
    plain = build(keras.Sequential, keras.layers.Dense(8, "relu"), keras.layers.Dropout(0.5))
    plain.fit(X, Y, epochs=2, validation_data=(X, Y), verbose=0)
    check_same(plain, model)


def test_a_loss_of_ones_own(device):
    class Doubled(keras.Sequential):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return 2 * super().compute_loss(x, y, y_pred, sample_weight)

    model = build(Doubled)
    loss = model.evaluate(X, Y, verbose=0)[0]
    plain = build().evaluate(X, Y, verbose=0)[0]
    assert loss == pytest.approx(2 * plain, rel=1e-5)
    mine, plains = model.gradients(X, Y).values(), build().gradients(X, Y).values()
    for gradient, single in zip(mine, plains, strict=True):
        np.testing.assert_allclose(gradient, 2 * single, rtol=1e-4, atol=1e-6)
    assert model.fit(X, Y, epochs=5, verbose=0).history["loss"][-1] < loss


def test_a_loss_written_from_scratch(device):
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(3)
            self.tracker = keras.metrics.Mean(name="distance")

        def call(self, x):
            return self.dense(x)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            error = keras.ops.one_hot(y, 3) - y_pred
            self.tracker.update_state(keras.ops.abs(error))
            return keras.ops.mean(keras.ops.square(error)) + 0.1 * keras.ops.mean(x)

    model = Own()
    model.compile("sgd")
    history = model.fit(X, Y, epochs=3, batch_size=len(X), verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    error = np.eye(3)[Y] - model.predict(X, verbose=0)
    found = model.evaluate(X, Y, batch_size=len(X), verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx((error**2).mean() + 0.1 * X.mean(), rel=1e-4)
    assert found["distance"] == pytest.approx(np.abs(error).mean(), rel=1e-4)


def test_functions_that_make_steps(device):
    class Made(keras.Sequential):
        def make_train_function(self, force=False):
            def function(iterator):
                calls.append(1)
                return self.train_step(next(iterator))

            self.train_function = function

    calls = []
    plain, own = build(), build(Made)
    for model in (plain, own):
        model.fit(X, Y, verbose=0)
    check_same(plain, own)
    assert len(calls) == 3
    plain.reset_metrics()
    logs = plain.make_test_function()(iter([(X, Y)]))
    assert logs["loss"] == pytest.approx(plain.test_on_batch(X, Y)[0])


def test_steps_of_data_in_batches(device):
    def batches():
        for begin in range(0, 70, 32):
            yield X[begin : begin + 32], Y[begin : begin + 32]

    plain, own = build(), build(Forwards)
    plain.fit(X, Y, shuffle=False, verbose=0)
    own.fit(batches(), verbose=0)
    check_same(plain, own)
    expected = plain.evaluate(X, Y, verbose=0)
    assert own.evaluate(batches(), verbose=0) == pytest.approx(expected)
    np.testing.assert_array_equal(own.predict(batches()), plain.predict(X, batch_size=32))


def test_a_step_on_one_object_only(device):
    plain, own = build(), build()
    calls = []

    def step(data):
        calls.append(len(data[0]))
        return type(own).train_step(own, data)

    own.train_step = step
    own.fit(X, Y, verbose=0)
    plain.fit(X, Y, verbose=0)
    assert calls == [32, 32, 6]
    check_same(plain, own)


def test_single_batches_report_themselves(device):
    model = build(rate=0.0)
    first = model.train_on_batch(X[:20], Y[:20])
    second = model.train_on_batch(X[20:], Y[20:], return_dict=True)
    assert first == pytest.approx(model.evaluate(X[:20], Y[:20], verbose=0), rel=1e-6)
    assert list(second.values()) == pytest.approx(model.test_on_batch(X[20:], Y[20:]), rel=1e-6)
    assert list(second) == ["loss", "accuracy"]
    results = model.get_metrics_result()
    assert results == pytest.approx(second, rel=1e-6)
    assert [metric.name for metric in model.metrics] == ["loss", "accuracy"]
    model.reset_metrics()
    assert [metric.result() for metric in model.metrics] == [0.0, 0.0]
    weighted = model.train_on_batch(X, Y, sample_weight=np.full(70, 2.0))[0]
    assert weighted == pytest.approx(2 * model.test_on_batch(X, Y)[0], rel=1e-5)
    by_class = model.train_on_batch(X, Y, class_weight={0: 3.0})[0]
    counts = np.where(Y == 0, 3.0, 1.0)
    assert by_class == pytest.approx(model.test_on_batch(X, Y, counts)[0], rel=1e-5)


def test_a_callback_ends_evaluation_and_prediction(device):
    class Stop(keras.callbacks.Callback):
        def on_test_batch_end(self, batch, logs=None):
            self.model.stop_evaluating = batch == 1

        def on_predict_batch_end(self, batch, logs=None):
            self.model.stop_predicting = batch == 1

    model = build()
    found = model.evaluate(X, Y, batch_size=10, verbose=0, callbacks=[Stop()])
    assert found == pytest.approx(model.evaluate(X[:20], Y[:20], verbose=0))
    assert len(model.predict(X, batch_size=10, verbose=0, callbacks=[Stop()])) == 20


def test_weights_set_before_a_prediction_count(device):
    model = build()
    zeros = [0 * w for w in model.get_weights()]
    spy = keras.callbacks.LambdaCallback(on_predict_begin=lambda logs: model.set_weights(zeros))
    found = model.predict(X, verbose=0, callbacks=[spy])
    np.testing.assert_allclose(found, np.full((70, 3), 1 / 3), rtol=1e-6)
