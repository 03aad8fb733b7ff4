"""Functions that build models, importable by the processes of parallel searches."""

from __future__ import annotations

import dnnfast as keras


def for_data(meta, units=20):
    """Return a model, not compiled, that fits the data."""
    ends = {"multiclass": "softmax", "binary": "sigmoid", "multilabel-indicator": "sigmoid"}
    return keras.Sequential(
        [
            keras.Input(meta["X_shape_"][1:]),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dense(meta["n_outputs_expected_"], ends.get(meta["target_type_"])),
        ]
    )


def regression(n_hidden=1, n_neurons=30, learning_rate=3e-3, input_shape=(8,)):
    """Return the compiled model that the course tunes."""
    model = keras.models.Sequential()
    model.add(keras.layers.InputLayer(input_shape=input_shape))
    for _ in range(n_hidden):
        model.add(keras.layers.Dense(n_neurons, activation="relu"))
    model.add(keras.layers.Dense(1))
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(learning_rate=learning_rate))
    return model


def classification(units=16, loss="sparse_categorical_crossentropy", end="softmax", outputs=3):
    """Return a compiled model of two inputs."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(units, activation="relu")])
    model.add(keras.layers.Dense(outputs, activation=end))
    model.compile(keras.optimizers.Adam(0.02), loss=loss, metrics=["accuracy"])
    return model


def threads_after_fit(estimator, x, y):
    """The number of threads in a worker; here, where workers can import it."""
    estimator.fit(x, y)
    return keras.config.threads()
