"""Mistakes: each message says what was given, what was expected and where; nothing changes."""

import numpy as np
import pytest

import dnnfast as keras
from api.data import classes, classifier

X, Y = classes(n=40)
BAD = X.copy()
BAD[17, 2] = np.nan


def unbuilt():
    return keras.Sequential([keras.layers.Dense(3)])


CALLS = {
    "narrow": (lambda m: m.fit(X[:, :4], Y), ValueError, r"'sequential'.*\(6,\).*\(40, 4\)"),
    "one sample": (lambda m: m.predict(X[0]), ValueError, "batch axis"),
    "lengths": (lambda m: m.fit(X, Y[:7]), ValueError, "40 samples but y has 7"),
    "empty": (lambda m: m.fit(X[:0], Y[:0]), ValueError, "no samples"),
    "labels": (lambda m: m.fit(X, Y + 1), ValueError, "from 1 to 3.*3 classes"),
    "negative": (lambda m: m.fit(X, Y - 1), ValueError, "from -1 to 1"),
    "halves": (lambda m: m.fit(X, Y + 0.5), ValueError, "integers"),
    "one-hot": (lambda m: m.fit(X, np.eye(3)[Y]), ValueError, "categorical_crossentropy"),
    "text": (lambda m: m.fit(X.astype(str), Y), TypeError, "x has dtype"),
    "text labels": (lambda m: m.fit(X, Y.astype(str)), TypeError, "y has dtype"),
    "objects": (lambda m: m.fit(np.array([object()] * 40), Y), TypeError, "object"),
    "ragged": (lambda m: m.predict([[1.0, 2.0], [3.0]]), ValueError, "same shape"),
    "complex": (lambda m: m.predict(X.astype(complex)), TypeError, "complex"),
    "no y": (lambda m: m.fit(X), ValueError, "y is None"),
    "no x": (lambda m: m.fit(None, Y), ValueError, "x is None"),
    "generator": (lambda m: m.fit((x for x in X), Y), ValueError, "generator"),
    "batch 0": (lambda m: m.fit(X, Y, batch_size=0), ValueError, "batch_size"),
    "batch -1": (lambda m: m.predict(X, batch_size=-1), ValueError, "batch_size"),
    "batch 1.5": (lambda m: m.evaluate(X, Y, batch_size=1.5), ValueError, "batch_size"),
    "epochs": (lambda m: m.fit(X, Y, epochs=-1), ValueError, "epochs"),
    "verbose": (lambda m: m.fit(X, Y, verbose="loud"), ValueError, "verbose"),
    "split": (lambda m: m.fit(X, Y, validation_split=1.5), ValueError, "validation_split"),
    "validation": (lambda m: m.fit(X, Y, validation_data=X), ValueError, "validation_data"),
    "validation y": (
        lambda m: m.fit(X, Y, validation_data=(X, Y + 9)),
        ValueError,
        "validation y",
    ),
    "weights": (lambda m: m.fit(X, Y, sample_weight=np.ones(3)), ValueError, "sample_weight"),
    "callback": (lambda m: m.fit(X, Y, callbacks=[print]), TypeError, "callbacks"),
    "callback class": (
        lambda m: m.fit(X, Y, callbacks=[keras.callbacks.History]),
        TypeError,
        "is a class",
    ),
    "two inputs": (lambda m: m.predict([X, X]), ValueError, "1 inputs"),
    "scalar": (lambda m: m.predict(3.0), ValueError, "array of shape"),
}


@pytest.mark.parametrize("name", CALLS)
def test_data_mistakes(name, device):
    call, error, message = CALLS[name]
    model = classifier()
    before = model.get_weights()
    with pytest.raises(error, match=message):
        call(model)
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    model.fit(X, Y, verbose=0)


ARGUMENTS = {
    "units": (lambda: keras.layers.Dense(0), ValueError, "units"),
    "units text": (lambda: keras.layers.Dense("3"), ValueError, "units"),
    "activation": (lambda: keras.layers.Dense(1, activation="rellu"), ValueError, '"relu"'),
    "activation type": (lambda: keras.layers.Dense(1, activation=3), ValueError, "int"),
    "argument": (lambda: keras.layers.Dense(1, actvation="relu"), TypeError, '"activation"'),
    "initializer": (
        lambda: keras.layers.Dense(1, kernel_initializer="he_norm"),
        ValueError,
        '"he_normal"',
    ),
    "regularizer": (lambda: keras.layers.Dense(1, kernel_regularizer="l3"), ValueError, "l2"),
    "l2": (lambda: keras.regularizers.L2(-1), ValueError, "l2"),
    "rate": (lambda: keras.layers.Dropout(1.5), ValueError, "rate"),
    "momentum": (lambda: keras.layers.BatchNormalization(momentum=2), ValueError, "momentum"),
    "optimizer": (lambda: classifier(optimizer="adm"), ValueError, '"adam"'),
    "optimizer argument": (lambda: keras.optimizers.SGD(momentun=1), TypeError, '"momentum"'),
    "loss": (lambda: classifier(loss="mes"), ValueError, '"mse"'),
    "loss function": (lambda: classifier(loss=3), ValueError, "unknown loss 3"),
    "metric": (lambda: classifier(metrics=["acuracy"]), ValueError, "unknown metric"),
    "clips": (lambda: keras.optimizers.SGD(clipnorm=1, clipvalue=1), ValueError, "clipnorm and"),
    "learning rate": (lambda: keras.optimizers.SGD("fast"), ValueError, "learning_rate"),
    "not a layer": (lambda: keras.Sequential([3]), TypeError, "int"),
    "layer class": (lambda: keras.Sequential([keras.layers.Dense]), TypeError, "is a class"),
    "axis": (
        lambda: keras.layers.BatchNormalization(axis=3)(keras.Input((3, 4))),
        ValueError,
        "axis=3",
    ),
    "add": (
        lambda: keras.layers.add([keras.Input((3,)), keras.Input((4,))]),
        ValueError,
        "must be equal or 1",
    ),
    "width": (lambda: classifier().layers[0](keras.Input((9,))), ValueError, "size 6"),
    "input": (lambda: keras.Input((None,)), ValueError, "known"),
    "device": (lambda: keras.config.set_device("gpu"), ValueError, "unknown device"),
    "dtype": (lambda: keras.layers.Dense(3, dtype="flaot32"), ValueError, '"float32"'),
    "policy": (lambda: keras.config.set_dtype_policy("float16"), ValueError, "mixed_bfloat16"),
    "losses": (lambda: classifier(loss=["mse", "mse"]), ValueError, "1 outputs"),
    "mixed": (
        lambda: classifier(metrics=["categorical_accuracy"]),
        ValueError,
        "do not fit together",
    ),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_argument_mistakes(name, device):
    call, error, message = ARGUMENTS[name]
    with pytest.raises(error, match=message):
        call()


def test_a_gpu_without_the_gpu_part(monkeypatch):
    monkeypatch.setattr("dnnfast.engine.cuda_library", lambda: None)
    for name in ("cuda", "cuda:0", "cuda:99"):
        with pytest.raises(ValueError, match="needs dnnfast's GPU part"):
            keras.config.set_device(name)
    assert keras.config.device() == "cpu"


def test_a_library_that_is_not_the_gpu_part(monkeypatch, tmp_path):
    monkeypatch.setenv("DNNFAST_CUDA_LIBRARY", str(tmp_path / "library.so"))
    (tmp_path / "library.so").write_bytes(b"no library")
    keras.config.set_device("cuda:0")
    with pytest.raises(RuntimeError, match="could not be loaded"):
        classifier().predict(np.zeros((2, 6)), verbose=0)


def test_not_compiled_and_not_built(device):
    model = unbuilt()
    with pytest.raises(RuntimeError, match="not compiled"):
        model.fit(X, Y)
    model.compile("sgd")
    with pytest.raises(ValueError, match="without a loss"):
        model.evaluate(X, Y)
    with pytest.raises(ValueError, match="not built"):
        unbuilt().plan()
    with pytest.raises(ValueError, match="not built"):
        unbuilt().count_params()
    with pytest.raises(ValueError, match="no layers"):
        keras.Sequential().predict(X)


def test_nan_in_the_data_is_found(device):
    model = classifier()
    with pytest.raises(FloatingPointError, match=r"epoch 1, batch 3 of 5.*row 17") as caught:
        model.fit(BAD, Y, batch_size=8, shuffle=False, verbose=0)
    assert caught.value.step == 2
    assert int(model.optimizer.iterations) == 2
    assert all(np.isfinite(w).all() for w in model.get_weights())
    assert np.isnan(model.predict(BAD)).any(axis=1).nonzero()[0].tolist() == [17]
    assert np.isnan(model.evaluate(BAD, Y, verbose=0)[0])
    model.fit(X, Y, verbose=0)


def test_divergence_is_found(device):
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(1e6), "mse")
    with pytest.raises(keras.errors.NonFiniteLossError, match="learning rate"):
        model.fit(X, Y, epochs=100, verbose=0)


def test_symbolic_tensors_have_no_values():
    x = keras.Input((3,))
    # Of the types that Keras raises.
    for use in (np.asarray, bool, len, iter, int, float):
        error = ValueError if use in (np.asarray, int, float) else TypeError
        with pytest.raises(error, match="symbolic"):
            use(x)
