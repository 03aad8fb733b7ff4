"""`dnnfast demo`: a whole training on real data, with the numbers that show where the time goes."""

from __future__ import annotations

import argparse
import math
import sys
import time
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

import dnnfast
from dnnfast import config, layers, optimizers
from dnnfast.cli.peak import peak_gflops
from dnnfast.datasets import fashion_mnist

HIDDEN = (300, 100)
# Dropout and a rate that falls to zero are worth about one percent of test accuracy each.
DROPOUT = 0.2
LEARNING_RATE = 1e-3
EPOCHS = {"full": 10, "excerpt": 20}


@dataclass(frozen=True)
class Report:
    """What a demo run ends with.

    Args:
        accuracy: share of the test images that are classified correctly.
        seconds: duration of the whole fit.
        epochs: its number of epochs.
        steps: steps of one epoch.
        flops: floating-point operations of the matrix products of one epoch.
        peak_gflops: the measured peak of this machine; None on a device without one.
    """

    accuracy: float
    seconds: float
    epochs: int
    steps: int
    flops: float
    peak_gflops: float | None

    def lines(self) -> list[str]:
        """Return the report as text.

        Example:
            >>> print("\\n".join(Report(0.9, 2.0, 4, 100, 1e9, 20.0).lines()))
            Test accuracy      90.00 %
            Time per epoch     0.500 s (100 steps)
            Time per step      5000.0 microseconds
            Matrix products    2.0 GFLOP/s, 10.0 % of the measured peak of 20.0 GFLOP/s
        """
        epoch = self.seconds / self.epochs
        rate = self.flops / epoch / 1e9
        share = ""
        if self.peak_gflops:
            share = (
                f", {100 * rate / self.peak_gflops:.1f} % of the measured peak of "
                f"{self.peak_gflops:.1f} GFLOP/s"
            )
        return [
            f"Test accuracy      {100 * self.accuracy:.2f} %",
            f"Time per epoch     {epoch:.3f} s ({self.steps} steps)",
            f"Time per step      {epoch / self.steps * 1e6:.1f} microseconds",
            f"Matrix products    {rate:.1f} GFLOP/s{share}",
        ]


def network() -> dnnfast.Sequential:
    """Return the untrained network: 784-300-100-10, ReLU, softmax.

    Example:
        >>> network().count_params()
        266610
    """
    model = dnnfast.Sequential([dnnfast.Input((784,))])
    for width in HIDDEN:
        model.add(layers.Dense(width, activation="relu", kernel_initializer="he_normal"))
        model.add(layers.Dropout(DROPOUT))
    model.add(layers.Dense(10, activation="softmax"))
    return model


def training_flops(rows: int) -> float:
    """Return the operations of forward, weight gradient and input gradient for a number of rows.

    Multiply and add count as two; the first layer needs no input gradient.

    Example:
        >>> training_flops(1)
        1126800.0
    """
    widths = (784, *HIDDEN, 10)
    products = [2.0 * i * o for i, o in pairwise(widths)]
    return rows * (3 * sum(products) - products[0])


class FallingRate(optimizers.schedules.LearningRateSchedule):
    """A learning rate that falls to zero along half a cosine wave.

    Args:
        steps: the step at which it is zero.

    Example:
        >>> rate = FallingRate(100)
        >>> [round(rate(step) / LEARNING_RATE, 3) for step in (0, 50, 100)]
        [1.0, 0.5, 0.0]
    """

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def __call__(self, step: int) -> float:
        return 0.5 * LEARNING_RATE * (1 + math.cos(math.pi * min(step / self.steps, 1.0)))

    def get_config(self) -> dict[str, Any]:
        return {"steps": self.steps}


def train(args: argparse.Namespace) -> Report:
    """Load the data, train, evaluate, and measure the peak."""
    full = args.full or (not args.excerpt and fashion_mnist.SOURCE.find() is not None)
    load = fashion_mnist.load_data if full else fashion_mnist.load_excerpt
    (x_train, y_train), (x_test, y_test) = load()
    kind = "full data set" if full else "excerpt in the package"
    print(f"Fashion-MNIST, {kind}: {len(x_train)} images to train on, {len(x_test)} to test on")
    x_train, x_test = (x.reshape(-1, 784).astype(np.float32) / 255 for x in (x_train, x_test))

    dnnfast.utils.set_random_seed(args.seed)
    epochs = args.epochs or EPOCHS["full" if full else "excerpt"]
    steps = -(-len(x_train) // args.batch_size)
    model = network()
    optimizer = optimizers.Adam(FallingRate(steps * epochs))
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    start = time.perf_counter()
    model.fit(
        x_train,
        y_train,
        batch_size=args.batch_size,
        epochs=epochs,
        verbose=1 if sys.stdout.isatty() else 2,
    )
    seconds = time.perf_counter() - start
    accuracy = model.evaluate(x_test, y_test, batch_size=1000, verbose=0)[1]
    peak = peak_gflops(blas=not args.threads) if config.device() == "cpu" else None
    return Report(accuracy, seconds, epochs, steps, training_flops(len(x_train)), peak)


def run(args: argparse.Namespace) -> None:
    """Run the demo and print its report."""
    before = config.device()
    if args.device:
        config.set_device(args.device)
    try:
        if args.threads:
            config.set_threads(args.threads)
        report = train(args)
    finally:
        config.set_device(before)
    print(*report.lines(), sep="\n")
