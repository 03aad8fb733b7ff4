"""Small data sets and models for the tests of the Python API."""

import numpy as np

import dnnfast as keras


def classes(n=200, features=6, count=3, seed=0):
    """Separable classes: float32 samples and integer labels."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(count, features)) * 2
    y = rng.integers(0, count, n)
    return (centers[y] + rng.normal(size=(n, features))).astype(np.float32), y


def regression(n=200, features=6, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, features)).astype(np.float32)
    return x, (x @ rng.normal(size=features) + 1).astype(np.float32)


def classifier(features=6, count=3, **options):
    model = keras.Sequential(
        [
            keras.Input((features,)),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(count, activation="softmax"),
        ]
    )
    options = {
        "optimizer": keras.optimizers.Adam(0.01),
        "loss": "sparse_categorical_crossentropy",
        "metrics": ["accuracy"],
        **options,
    }
    model.compile(**options)
    return model
