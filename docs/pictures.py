"""Draws the pictures of the documentation into docs/images, or only those that are named.

    python docs/pictures.py [clipping schedules ...]

All are made on the excerpt of Fashion-MNIST that the package carries, or on data that is made here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from inspect import isfunction
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from drawing import X_TEST, Y_TEST, X, Y, axes, dense_net, labelled, seeded
from matplotlib.figure import Figure
from PIL import Image

import dnnfast as keras
from dnnfast import layers

IMAGES = Path(__file__).resolve().parent / "images"


def history() -> Figure:
    seeded()
    hidden = [layers.Dense(300, "relu"), layers.Dropout(0.2), layers.Dense(100, "relu")]
    record = dense_net(hidden, "adam").fit(X, Y, epochs=10, validation_split=0.1, verbose=0)
    return record.plot(["loss", "accuracy"])


def outputs_by_layer(activation: str, initializer: object, x: np.ndarray) -> list[np.ndarray]:
    """What each of twenty layers of 100 gives, before any training."""
    seeded()
    found, value = [], x
    for _ in range(20):
        value = layers.Dense(100, activation, kernel_initializer=initializer)(value)
        found.append(np.asarray(value))
    return found


def initialization() -> Figure:
    figure, plots = axes(3)
    normal = keras.initializers.RandomNormal
    x = np.random.default_rng(0).normal(size=(500, 100)).astype("float32")
    kinds = {"normal(0, 1)": normal(stddev=1.0), "normal(0, 0.05)": normal(stddev=0.05)}
    kinds["Glorot"] = "glorot_normal"
    for ax, (name, initializer) in zip(plots, kinds.items(), strict=True):
        found = outputs_by_layer("tanh", initializer, x)
        for depth in (1, 5, 20):
            counts, edges = np.histogram(found[depth - 1], bins=60, range=(-1.02, 1.02))
            share = counts / counts.sum()
            ax.step(edges[1:], np.maximum(share, 1e-4), label=f"layer {depth}")
        ax.set_yscale("log")
        labelled(ax, "output of tanh", "", name)
    plots[0].set_ylabel("share of outputs")
    return figure


def vanishing_gradients() -> Figure:
    figure, (ax,) = axes()
    sigmoid = ("sigmoid", keras.initializers.RandomNormal(stddev=1.0), False)
    nets = {"sigmoid, normal(0, 1)": sigmoid, "ReLU, He": ("relu", "he_normal", False)}
    nets["sigmoid, Glorot, batch norm"] = ("sigmoid", "glorot_normal", True)
    for title, (activation, initializer, normalize) in nets.items():
        seeded()
        hidden: list = []
        for i in range(1, 16):
            dense = layers.Dense(30, kernel_initializer=initializer, name=f"hidden_{i}")
            norm = [layers.BatchNormalization()] if normalize else []
            hidden += [dense, *norm, layers.Activation(activation)]
        monitor = keras.callbacks.LayerMonitor()
        dense_net(hidden, "sgd").fit(X, Y, epochs=1, verbose=0, callbacks=[monitor])
        norms = [monitor.history["gradient"][f"hidden_{i}"][0] for i in range(1, 16)]
        ax.plot(range(1, 16), norms, ".-", label=title)
    ax.set_yscale("log")
    labelled(ax, "layer", "norm of its gradient, first epoch")
    return figure


def activations() -> Figure:
    figure, (left, right) = axes(2)
    x = np.linspace(-4, 4, 200).astype("float32")
    for name in ("sigmoid", "tanh", "relu", "elu", "selu", "swish", "gelu"):
        left.plot(x, keras.activations.get(name)(x), label=name)
    labelled(left, "z", "activation")
    start = np.random.default_rng(0).normal(size=(500, 100)).astype("float32")
    pairs = [("selu", "lecun_normal"), ("relu", "he_normal"), ("tanh", "glorot_normal")]
    for name, initializer in [*pairs, ("sigmoid", "glorot_normal")]:
        found = outputs_by_layer(name, initializer, start)
        right.plot(range(1, 21), [f.std() for f in found], ".-", label=f"{name}, {initializer}")
    right.set_yscale("log")
    labelled(right, "layer", "deviation of its outputs")
    return figure


def batch_normalization() -> Figure:
    figure, plots = axes(2)
    for name in ("without", "before the activation", "after it"):
        seeded()
        hidden: list = []
        for _ in range(20):
            hidden.append(layers.Dense(60, kernel_initializer="he_normal"))
            if name.startswith("before"):
                hidden.append(layers.BatchNormalization())
            hidden.append(layers.ReLU())
            if name.startswith("after"):
                hidden.append(layers.BatchNormalization())
        model = dense_net(hidden, keras.optimizers.SGD(0.1))
        record = model.fit(X, Y, epochs=10, validation_data=(X_TEST, Y_TEST), verbose=0).history
        for ax, key in zip(plots, ("loss", "val_accuracy"), strict=True):
            ax.plot(range(1, 11), record[key], ".-", label=name)
    labelled(plots[0], "epoch", "training loss")
    labelled(plots[1], "epoch", "test accuracy")
    return figure


def clipping() -> Figure:
    figure, (ax,) = axes()
    kinds: list[dict] = [{}, {"clipvalue": 0.01}, {"clipnorm": 0.1}, {"global_clipnorm": 0.1}]
    for options in kinds:
        seeded()
        hidden = [layers.Dense(n, "relu", kernel_initializer="he_normal") for n in (200, 100)]
        losses: list[float] = []
        record = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs, losses=losses: losses.append(logs["loss"])
        )
        model = dense_net(hidden, keras.optimizers.SGD(1.0, momentum=0.9, **options))
        model.fit(X, Y, epochs=1, verbose=0, callbacks=[record])
        name = ", ".join(f"{k}={v}" for k, v in options.items()) or "no clipping"
        ax.plot(np.minimum(losses, 50), label=name)
    ax.set_yscale("log")
    labelled(ax, "step", "mean loss so far (at most 50)", "SGD, rate 1.0, momentum 0.9")
    return figure


def transfer_learning() -> Figure:
    figure, (ax,) = axes()
    two, two_test = np.isin(Y, (5, 6)), np.isin(Y_TEST, (5, 6))
    pictures, labels = X[two], (Y[two] == 6).astype("float32")
    test = (X_TEST[two_test], (Y_TEST[two_test] == 6).astype("float32"))

    def hidden() -> list:
        return [layers.Dense(100, "selu", kernel_initializer="lecun_normal") for _ in range(3)]

    seeded()
    base = dense_net(hidden(), "nadam")
    base.fit(X[~two], Y[~two], epochs=15, verbose=0)
    for layer in base.layers:
        layer.trainable = False

    def reached(inner: list, rate: float, count: int, seed: int) -> float:
        keras.utils.set_random_seed(seed)
        chosen = np.random.default_rng(seed).permutation(len(pictures))[:count]
        model = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), *inner])
        model.add(layers.Dense(1, "sigmoid"))
        model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
        model.fit(pictures[chosen], labels[chosen], epochs=60, verbose=0)
        return model.evaluate(*test, verbose=0)[1]

    counts, seeds = (2, 4, 6, 10, 20, 50), range(8)
    kinds: dict[str, Callable] = {
        "from scratch": lambda *of: reached(hidden(), 1e-3, *of),
        "on the layers of another net": lambda *of: reached(base.layers[1:-1], 1e-2, *of),
    }
    for name, train in kinds.items():
        means = [np.mean([train(count, seed) for seed in seeds]) for count in counts]
        ax.plot(counts, means, ".-", label=name)
    ax.set_xscale("log")
    ax.set_xticks(counts, [str(count) for count in counts])
    ax.minorticks_off()
    labelled(ax, "labels", "test accuracy, mean of 8 draws", "shirt or sandal")
    return figure


def pretraining() -> Figure:
    seeded()
    flat = X.reshape(-1, 784)
    encoder = keras.Sequential([keras.Input((784,)), layers.Dense(200, "relu"), layers.Dense(30)])
    decoder = [layers.Dense(200, "relu"), layers.Dense(784, "sigmoid")]
    autoencoder = keras.Sequential([encoder, *decoder])
    autoencoder.compile("nadam", "mse")
    autoencoder.fit(flat, flat, epochs=15, verbose=0)
    shown = X_TEST[:10]
    found = autoencoder.predict(shown.reshape(-1, 784), verbose=0).reshape(-1, 28, 28)
    figure, plots = plt.subplots(2, 10, figsize=(8, 1.8))
    for row, pictures in zip(plots, (shown, found), strict=True):
        for ax, picture in zip(row, pictures, strict=True):
            ax.imshow(picture, cmap="gray_r")
            ax.axis("off")
    return figure


def gan() -> Figure:
    seeded()
    random = np.random.default_rng(42)

    def real(count: int) -> np.ndarray:
        angle = random.uniform(0, 2 * np.pi, count)
        ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        return ring + 0.02 * random.normal(size=ring.shape)

    generator = keras.Sequential(
        [keras.Input((8,)), layers.Dense(64, "selu"), layers.Dense(64, "selu"), layers.Dense(2)]
    )
    judge = keras.Sequential([keras.Input((2,))])
    for _ in range(2):
        judge.add(layers.Dense(64))
        judge.add(layers.LeakyReLU(negative_slope=0.2))
    judge.add(layers.Dense(1, "sigmoid"))
    judge.compile(keras.optimizers.Adam(1e-3, beta_1=0.5), "binary_crossentropy")
    judge.trainable = False
    both = keras.Sequential([generator, judge])
    both.compile(keras.optimizers.Adam(1e-3, beta_1=0.5), "binary_crossentropy")
    figure, plots = axes(4, 2.4)
    codes = random.normal(size=(300, 8))
    labels = np.repeat([[0.0], [1.0]], 64, axis=0)
    for step in range(2001):
        if step in (0, 200, 600, 2000):
            ax = plots[(0, 200, 600, 2000).index(step)]
            ax.plot(*real(300).T, ".", color="0.8", markersize=2)
            ax.plot(*np.asarray(generator(codes)).T, ".", color="tab:blue", markersize=2)
            ax.set(xlim=(-1.6, 1.6), ylim=(-1.6, 1.6), title=f"step {step}", aspect="equal")
        fakes = generator.predict_on_batch(random.normal(size=(64, 8)))
        judge.train_on_batch(np.concatenate([fakes, real(64)]), labels)
        both.train_on_batch(random.normal(size=(64, 8)), np.ones((64, 1)))
    return figure


def optimizers() -> Figure:
    figure, (ax,) = axes()
    kinds = {
        "SGD": keras.optimizers.SGD(0.01),
        "momentum": keras.optimizers.SGD(0.01, momentum=0.9),
        "Nesterov": keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True),
        "Adagrad": keras.optimizers.Adagrad(0.01),
        "RMSprop": "rmsprop",
        "Adam": "adam",
        "Nadam": "nadam",
        "AdamW": "adamw",
    }
    for name, optimizer in kinds.items():
        seeded()
        hidden = [layers.Dense(n, "relu", kernel_initializer="he_normal") for n in (150, 75)]
        record = dense_net(hidden, optimizer).fit(X, Y, epochs=12, verbose=0).history
        ax.plot(range(1, 13), record["loss"], label=name)
    labelled(ax, "epoch", "training loss")
    return figure


def schedules() -> Figure:
    figure, (ax,) = axes()
    of = keras.optimizers.schedules
    kinds = {
        "power": of.PowerDecay(0.1, s=200),
        "exponential": of.ExponentialDecay(0.1, 400, 0.3),
        "piecewise": of.PiecewiseConstantDecay([300, 700], [0.1, 0.03, 0.01]),
        "cosine, warm-up": of.CosineDecay(0.0, 900, warmup_target=0.1, warmup_steps=100),
        "1cycle": of.OneCycle(0.1, steps=1000),
    }
    steps = np.arange(1000)
    for name, schedule in kinds.items():
        ax.plot(steps, [float(schedule(step)) for step in steps], label=name)
    labelled(ax, "step", "learning rate")
    return figure


def rate_finder() -> Figure:
    seeded()
    hidden = [layers.Dense(n, "relu", kernel_initializer="he_normal") for n in (300, 100)]
    finder = keras.callbacks.LearningRateFinder(1e-4, 10.0)
    model = dense_net(hidden, keras.optimizers.SGD(1e-3))
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[finder])
    ax = finder.plot()
    ax.figure.set_size_inches(8, 3.2)
    ax.set_ylim(0, 6)
    return ax.figure


def regularization() -> Figure:
    figure, plots = axes(2)
    l2 = keras.regularizers.l2(1e-3)
    kinds = {"none": {}, "l2(1e-3)": {"kernel_regularizer": l2}, "dropout 0.4": {}}
    for name, options in kinds.items():
        seeded()
        hidden: list = []
        for units in (200, 100):
            hidden.append(layers.Dense(units, "relu", **options))
            hidden.append(layers.Dropout(0.4 if "dropout" in name else 0.0))
        data = {"validation_data": (X_TEST, Y_TEST), "verbose": 0}
        record = dense_net(hidden, "nadam").fit(X[:2000], Y[:2000], epochs=30, **data).history
        for ax, key in zip(plots, ("entropy", "val_entropy"), strict=True):
            ax.plot(range(1, 31), record[key], label=name)
    labelled(plots[0], "epoch", "cross-entropy, training")
    labelled(plots[1], "epoch", "cross-entropy, test")
    return figure


def monte_carlo_dropout() -> Figure:
    seeded()
    random = np.random.default_rng(0)
    x = np.concatenate([random.uniform(-2, -0.5, 200), random.uniform(0.5, 2, 200)])[:, None]
    y = np.sin(3 * x) + 0.1 * random.normal(size=x.shape)
    model = keras.Sequential([keras.Input((1,))])
    for _ in range(2):
        model.add(layers.Dense(100, "relu", kernel_initializer="he_normal"))
        model.add(layers.Dropout(0.1))
    model.add(layers.Dense(1))
    model.compile(keras.optimizers.Adam(3e-3), "mse")
    model.fit(x, y, epochs=200, verbose=0)
    figure, (ax,) = axes()
    at = np.linspace(-4, 4, 200)[:, None]
    mean, deviation = (part[:, 0] for part in model.predict(at, mc_samples=300, verbose=0))
    ax.plot(x, y, ".", color="0.7", markersize=3, label="training data")
    ax.plot(at[:, 0], mean, label="mean of 300 passes")
    for factor in (2, 1):
        low, high = mean - factor * deviation, mean + factor * deviation
        ax.fill_between(at[:, 0], low, high, color="tab:blue", alpha=0.15, linewidth=0)
    labelled(ax, "x", "y, with one and two deviations")
    return figure


def wide_and_deep() -> Figure:
    wide, deep = keras.Input((5,), name="wide"), keras.Input((6,), name="deep")
    hidden = layers.Dense(64, "relu", name="hidden_1")(layers.Normalization(name="scale")(deep))
    hidden = layers.Dense(64, "relu", name="hidden_2")(hidden)
    joined = layers.Concatenate(name="join")([wide, hidden])
    outputs = [layers.Dense(1, name="price")(joined), layers.Dense(1, name="deep_alone")(hidden)]
    model = keras.Model([wide, deep], outputs)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.png"
        options = {"show_shapes": True, "show_layer_names": True, "rankdir": "LR", "dpi": 200}
        keras.utils.plot_model(model, path, **options)
        picture = plt.imread(path)
    figure = plt.figure(figsize=(10, 10 * len(picture) / picture.shape[1]))
    ax = figure.add_axes((0, 0, 1, 1))
    ax.imshow(picture)
    ax.axis("off")
    return figure


def losses() -> Figure:
    figure, (left, right) = axes(2)
    error = np.linspace(-3, 3, 121).astype("float32")[:, None]
    kinds = {"mse": keras.losses.mean_squared_error, "mae": keras.losses.mean_absolute_error}
    kinds |= {"Huber": keras.losses.huber, "log cosh": keras.losses.log_cosh}
    for name, loss in kinds.items():
        left.plot(error, loss(np.zeros_like(error), error), label=name)
    left.set_ylim(0, 4)
    labelled(left, "error", "loss")
    p = np.linspace(0.01, 0.99, 99).astype("float32")[:, None]
    for smoothing in (0.0, 0.1):
        loss = keras.losses.BinaryCrossentropy(label_smoothing=smoothing, reduction=None)
        right.plot(p, loss(np.ones_like(p), p), label=f"cross-entropy, smoothing {smoothing}")
    focal = keras.losses.BinaryFocalCrossentropy(reduction=None)
    right.plot(p, focal(np.ones_like(p), p), label="focal")
    labelled(right, "probability given to the label", "loss")
    return figure


# All functions above that return a figure.
NAMES = [
    name
    for name, draw in list(globals().items())
    if isfunction(draw) and draw.__annotations__.get("return") == "Figure"
]


def main() -> None:
    """Draw with 64 colours: files stay small."""
    for name in sys.argv[1:] or NAMES:
        figure = globals()[name]()
        path = IMAGES / f"{name}.png"
        figure.savefig(path, dpi=90, bbox_inches="tight", facecolor="white")
        plt.close(figure)
        Image.open(path).convert("RGB").quantize(64).save(path, optimize=True)
        print(path.name, f"{path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
