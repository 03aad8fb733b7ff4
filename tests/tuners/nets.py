"""Hypermodels of the tests: quick ones, and ones whose scores are known."""

from __future__ import annotations

import numpy as np

import dnnfast as keras

RNG = np.random.default_rng(3)
X = RNG.normal(size=(120, 2)).astype(np.float32)
Y = (X[:, 0] > X[:, 1]).astype(int)


def net(hp):
    """Return a net whose number of layers and learning rate are tuned."""
    model = keras.Sequential()
    for _ in range(hp.Int("n_hidden", 0, 2)):
        model.add(keras.layers.Dense(hp.Choice("units", [4, 8, 16]), activation="relu"))
    model.add(keras.layers.Dense(1, activation="sigmoid"))
    rate = hp.Float("learning_rate", 1e-3, 1e-1, sampling="log")
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
    return model


class Scored(keras.HyperModel):
    """Trains nothing: `score(hp)` is what its `fit` returns."""

    def __init__(self, score):
        super().__init__()
        self.score = score

    def build(self, hp):
        return keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])

    def fit(self, hp, model, *args, **kwargs):
        return self.score(hp)


def asking(**space):
    """Return a score that asks for hyperparameters and does not depend on them."""

    def score(hp):
        for name, (kind, *arguments) in space.items():
            getattr(hp, kind)(name, *arguments)
        return 0.0

    return score
