"""What the pictures of the documentation share: data, axes, nets."""

from __future__ import annotations

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

import dnnfast as keras
from dnnfast import layers

(X, Y), (X_TEST, Y_TEST) = keras.datasets.fashion_mnist.load_excerpt()
X, X_TEST = (X / 255.0).astype("float32"), (X_TEST / 255.0).astype("float32")
MORE = [keras.metrics.SparseCategoricalCrossentropy(name="entropy")]


def axes(count: int = 1, height: float = 3.2) -> tuple[Figure, list]:
    """A figure with so many plots side by side."""
    figure, found = plt.subplots(1, count, figsize=(8, height), squeeze=False, layout="constrained")
    for ax in found[0]:
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(alpha=0.3)
    return figure, list(found[0])


def labelled(ax: plt.Axes, x: str, y: str, title: str = "") -> None:
    ax.set(xlabel=x, ylabel=y, title=title)
    ax.legend(frameon=False, fontsize=8)


def dense_net(hidden: list, optimizer: object, head: int = 10) -> keras.Model:
    """A compiled net on pictures, with these layers between input and output."""
    model = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), *hidden])
    model.add(layers.Dense(head, activation="softmax"))
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy", *MORE])
    return model


def seeded() -> None:
    keras.utils.set_random_seed(42)
