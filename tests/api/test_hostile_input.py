"""What a clumsy caller gets: a clear error, and a model that is as it was."""

import numpy as np
import pytest

import dnnfast as keras

RNG = np.random.default_rng(0)
X = RNG.random((40, 5)).astype(np.float32)
Y = RNG.integers(0, 3, 40)


def classifier(optimizer="sgd"):
    model = keras.Sequential(
        [keras.Input((5,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(3, "softmax")]
    )
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def bytes_of(model):
    return [w.tobytes() for w in model.get_weights()]


BAD_FITS = [
    ({"x": X[:, :4]}, ValueError, ["(5,)", "(40, 4)"]),
    ({"y": Y[:30]}, ValueError, ["40", "30"]),
    ({"x": X[:0], "y": Y[:0]}, ValueError, ["no samples"]),
    ({"x": X.astype(str)}, TypeError, ["dtype"]),
    ({"x": X + 1j}, TypeError, ["complex"]),
    ({"x": np.zeros((40, 5), "M8[s]")}, TypeError, ["datetime"]),
    ({"y": Y + 1}, ValueError, ["1 to 3", "0 to 2"]),
    ({"y": Y - 1}, ValueError, ["-1 to 1"]),
    ({"y": Y + 0.5}, ValueError, ["integers"]),
    ({"y": np.eye(3)[Y]}, ValueError, ["one-hot", "argmax"]),
    ({"y": None}, ValueError, ["y is None"]),
    ({"batch_size": 0}, ValueError, ["batch_size", "at least 1"]),
    ({"batch_size": 2.5}, ValueError, ["batch_size"]),
    ({"epochs": -1}, ValueError, ["epochs"]),
    ({"validation_split": 1.0}, ValueError, ["validation_split"]),
    ({"validation_split": 0.999}, ValueError, ["validation_split", "40"]),
    ({"sample_weight": np.ones(7)}, ValueError, ["sample_weight", "7"]),
]


@pytest.mark.parametrize(("change", "kind", "words"), BAD_FITS, ids=lambda v: str(v)[:30])
def test_fit_refuses(change, kind, words, device):
    model = classifier()
    before = bytes_of(model)
    with pytest.raises(kind) as error:
        model.fit(**{"x": X, "y": Y, "verbose": 0, **change})
    for word in words:
        assert word in str(error.value)
    assert bytes_of(model) == before
    model.fit(X, Y, verbose=0)


@pytest.mark.parametrize("rate", [np.nan, None, -1.0, np.inf, "fast"], ids=str)
def test_a_callable_rate_must_give_a_rate(rate, device):
    model = classifier(keras.optimizers.SGD(lambda: rate))
    before = bytes_of(model)
    with pytest.raises(ValueError, match="learning rate"):
        model.fit(X, Y, verbose=0)
    assert bytes_of(model) == before


def test_a_batch_larger_than_the_data_is_the_data(device):
    histories = []
    for batch in (40, 1000, 10**12, 10**30):
        keras.utils.set_random_seed(1)
        histories.append(classifier().fit(X, Y, batch_size=batch, verbose=0).history["loss"])
    assert all(history == histories[0] for history in histories)


class Raises(keras.callbacks.Callback):
    """A callback whose hook of one name raises."""

    def __init__(self, hook):
        super().__init__()

        def fail(*args, **kwargs):
            raise RuntimeError(f"from {hook}")

        setattr(self, hook, fail)


HOOKS = [f"on_{when}" for when in ("train_begin", "epoch_begin", "epoch_end", "train_end")]
HOOKS += [f"on_train_batch_{when}" for when in ("begin", "end")]
HOOKS += [f"on_test_{when}" for when in ("begin", "batch_begin", "batch_end", "end")]


@pytest.mark.parametrize("hook", HOOKS)
def test_a_callback_that_raises_stops_the_fit_cleanly(hook, device):
    model = classifier()
    with pytest.raises(RuntimeError, match=f"from {hook}"):
        model.fit(X, Y, validation_data=(X, Y), callbacks=[Raises(hook)], verbose=0)
    assert all(np.isfinite(w).all() for w in model.get_weights())
    assert np.isfinite(model.fit(X, Y, verbose=0).history["loss"]).all()


def test_ctrl_c_leaves_a_usable_model(device):
    class Interrupt(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1:
                raise KeyboardInterrupt

    model = classifier()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, batch_size=8, callbacks=[Interrupt()], verbose=0)
    assert int(model.optimizer.iterations) == 2
    model.fit(X, Y, verbose=0)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: keras.layers.Dense(3, "rleu"), ["rleu", "relu"]),
        (lambda: keras.layers.Dense(3, kernel_initializer="he_norml"), ["he_normal"]),
        (lambda: keras.layers.Dense(3, kernel_regularizer="l3"), ["l1_l2"]),
        (lambda: classifier("admm"), ["adam"]),
        (lambda: keras.layers.Dense(-1), ["units", "-1"]),
        (lambda: keras.layers.Dropout(1.5), ["rate", "1.5"]),
        (lambda: keras.optimizers.SGD(-1.0), ["learning_rate"]),
        (lambda: keras.optimizers.SGD(np.inf), ["learning_rate", "finite"]),
        (lambda: keras.optimizers.Adam(clipnorm=1.0, clipvalue=1.0), ["only one"]),
        (lambda: keras.Sequential().predict(X), ["no layers"]),
        (lambda: classifier().predict(X[0]), ["batch axis"]),
        (lambda: classifier().set_weights([1.0]), ["expected 4"]),
    ],
)
def test_errors_say_what_to_do(make, words):
    with pytest.raises(ValueError) as error:
        make()
    for word in words:
        assert word in str(error.value)


def test_a_layer_that_does_not_fit_is_not_added(device):
    model = classifier()
    before = model.predict(X, verbose=0)
    with pytest.raises(ValueError, match=r"Reshape|reshape"):
        model.add(keras.layers.Reshape((7,)))
    assert len(model.layers) == 2
    assert np.array_equal(model.predict(X, verbose=0), before)


def test_a_shape_that_overflows_is_refused():
    with pytest.raises(ValueError, match=r"too large|do not fit"):
        keras.layers.Flatten()(keras.Input((2**40, 2**40)))
