"""What the nets of a course on deep learning reach on all of Fashion-MNIST.

python benchmarks/accuracy.py [--out benchmarks/results/accuracy.jsonl]

Each net is trained as a reader would write it; one JSON line each, with the seconds it took.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

import dnnfast as keras

HELD_OUT = 5000
SANDAL, SHIRT = 5, 6


def net(*layers: Any, units: int = 10, activation: str = "softmax") -> keras.Sequential:
    """Return a net of these hidden layers."""
    out = keras.layers.Dense(units, activation=activation)
    return keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), *layers, out])


def dense(units: int) -> keras.layers.Dense:
    """Return a hidden layer with ELU and He initialization."""
    return keras.layers.Dense(units, activation="elu", kernel_initializer="he_normal")


def dropout_net(train: Any, test: Any) -> dict[str, float]:
    """784-300-100-10 with dropout before each layer: validation accuracy within 20 epochs."""
    x, y = train
    drop = keras.layers.Dropout
    model = net(drop(0.2), dense(300), drop(0.2), dense(100), drop(0.2))
    model.compile("nadam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(
        x[HELD_OUT:],
        y[HELD_OUT:],
        epochs=20,
        validation_data=(x[:HELD_OUT], y[:HELD_OUT]),
        verbose=0,
    ).history
    reached = max(history["val_accuracy"])
    return {"accuracy": reached, "test_accuracy": model.evaluate(*test, verbose=0)[1]}


def plain_net(train: Any, test: Any) -> dict[str, float]:
    """784-512-512-10 with ReLU: test accuracy after 3 epochs, the median of five trainings."""
    found = []
    for seed in range(5):
        keras.utils.set_random_seed(seed)
        model = net(*[keras.layers.Dense(512, activation="relu") for _ in range(2)])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(*train, epochs=3, verbose=0)
        found.append(model.evaluate(*test, verbose=0)[1])
    return {"accuracy": float(np.median(found)), "lowest": min(found), "highest": max(found)}


def normalized_net(train: Any, test: Any) -> dict[str, float]:
    """784-512-512-10 with batch normalization and dropout: test accuracy."""
    hidden = []
    for _ in range(2):
        hidden += [
            keras.layers.Dense(512, use_bias=False, kernel_initializer="he_normal"),
            keras.layers.BatchNormalization(),
            keras.layers.Activation("relu"),
            keras.layers.Dropout(0.3),
        ]
    model = net(*hidden)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    slower = keras.callbacks.LearningRateScheduler(lambda epoch: 1e-3 * 0.85**epoch)
    model.fit(*train, epochs=20, batch_size=128, verbose=0, callbacks=[slower])
    return {"accuracy": model.evaluate(*test, verbose=0)[1]}


def transfer(train: Any, test: Any) -> dict[str, float]:
    """Shirts against sandals with 200 labels, on the layers of a net for the other eight."""
    (x, y), (x_test, y_test) = train, test
    two, two_test = np.isin(y, (SANDAL, SHIRT)), np.isin(y_test, (SANDAL, SHIRT))
    labels = y.astype(np.int64) - 2 * (y > SHIRT)
    x_b, y_b = x[two][:200], (y[two] == SHIRT).astype(np.float32)[:200]
    hidden = [
        keras.layers.Dense(n, activation="selu", kernel_initializer="lecun_normal")
        for n in (300, 100, 50, 50, 50)
    ]
    model_a = net(*hidden, units=8)
    model_a.compile(keras.optimizers.SGD(1e-3), "sparse_categorical_crossentropy")
    model_a.fit(x[~two], labels[~two], epochs=20, verbose=0)
    clone = keras.models.clone_model(model_a)
    clone.set_weights(model_a.get_weights())
    model = keras.Sequential([*clone.layers[:-1], keras.layers.Dense(1, activation="sigmoid")])
    for trainable, rate, epochs in ((False, 1e-2, 10), (True, 1e-3, 16)):
        for layer in model.layers[:-1]:
            layer.trainable = trainable
        model.compile(keras.optimizers.SGD(rate), "binary_crossentropy", metrics=["accuracy"])
        model.fit(x_b, y_b, epochs=epochs, verbose=0)
    found = model.evaluate(x_test[two_test], y_test[two_test] == SHIRT, verbose=0)
    return {"accuracy": found[1]}


NETS = {
    "dropout net, validation within 20 epochs": (dropout_net, 0.83),
    "512-512 after 3 epochs": (plain_net, 0.86),
    "512-512 with batch norm and dropout": (normalized_net, 0.89),
    "shirt or sandal, by transfer": (transfer, 0.99),
}


def main() -> None:
    """Train all nets and print what they reach."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="file to write the lines to")
    options = parser.parse_args()
    (x, y), (x_test, y_test) = keras.datasets.fashion_mnist.load_data()
    train, test = (x / np.float32(255), y), (x_test / np.float32(255), y_test)
    lines = []
    for name, (run, goal) in NETS.items():
        keras.utils.set_random_seed(42)
        start = time.perf_counter()
        found = run(train, test)
        line = {"net": name, "goal": goal, **{k: round(v, 4) for k, v in found.items()}}
        line["seconds"] = round(time.perf_counter() - start, 1)
        lines.append(json.dumps(line))
        print(lines[-1], flush=True)
    if options.out:
        options.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
