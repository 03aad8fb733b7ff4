"""Keras 3 on JAX, compiled, several steps per execution, through `fit` as users call it."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "jax"
import keras
import numpy as np

from peers.protocol import Job, serve
from workloads import Workload

# Keras compiles the steps of one execution in a row; more of them compile for minutes and run no
# faster.
STEPS_PER_EXECUTION = 16


class AlwaysDropout(keras.layers.Dropout):
    """Dropout that also drops in prediction, for Monte Carlo estimates."""

    def call(self, inputs, training=None):
        return super().call(inputs, training=True)


def network(work: Workload) -> keras.Model:
    dropout = AlwaysDropout if work.kind == "mc" else keras.layers.Dropout
    model = keras.Sequential([keras.Input((work.widths[0],))])
    for width in work.hidden:
        if work.batchnorm:
            model.add(keras.layers.Dense(width, use_bias=False, kernel_initializer="he_normal"))
            model.add(keras.layers.BatchNormalization())
            model.add(keras.layers.Activation(work.activation))
        else:
            model.add(
                keras.layers.Dense(
                    width, activation=work.activation, kernel_initializer="he_normal"
                )
            )
        if work.dropout:
            model.add(dropout(work.dropout))
    model.add(keras.layers.Dense(work.widths[-1], activation="softmax"))
    return model


def build(job: Job):
    work = job.workload
    model = network(work)
    model.compile(
        optimizer=work.optimizer or "sgd",
        loss="sparse_categorical_crossentropy",
        jit_compile=True,
        steps_per_execution=min(STEPS_PER_EXECUTION, work.steps) if work.kind == "train" else 1,
    )

    def train() -> float:
        return model.fit(job.x, job.y, batch_size=work.batch, epochs=1, verbose=0).history["loss"][
            0
        ]

    def predict() -> float:
        for _ in range(work.calls):
            out = model.predict(job.x, batch_size=work.batch, verbose=0)
        return float(out.sum())

    def monte_carlo() -> float:
        passes = np.stack(
            [model.predict(job.x, batch_size=work.batch, verbose=0) for _ in range(work.samples)]
        )
        return float(passes.mean(0).sum() + passes.std(0).sum())

    run = {"train": train, "predict": predict, "mc": monte_carlo}[work.kind]
    import jax

    return run, {"keras": keras.__version__, "jax": jax.__version__}


if __name__ == "__main__":
    serve(build)
