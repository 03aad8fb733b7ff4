"""Keras 3 on JAX, or ("tensorflow" variant) on TensorFlow: compiled, several steps per execution,
through `fit` as users call it."""

from __future__ import annotations

import os
import sys
from dataclasses import replace

# Keras chooses its backend when it is imported, before the options are parsed.
os.environ["KERAS_BACKEND"] = "tensorflow" if "tensorflow" in sys.argv else "jax"
import keras
import numpy as np

from peers.protocol import Job, serve
from workloads import Workload

# Keras compiles the steps of one execution in a row; more of them compile for minutes and run no
# faster.
STEPS_PER_EXECUTION = 16
# A call of predict on TensorFlow takes tens of milliseconds whatever the rows; fewer calls do.
TENSORFLOW_CALLS = 20


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


def set_threads(threads: int) -> dict[str, str]:
    """Tells the backend how many threads to use, and returns its version by its name.

    JAX has as many as there are processors, and the driver has bound this process to `threads`.
    """
    if keras.backend.backend() == "jax":
        import jax

        return {"jax": jax.__version__}
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    return {"tensorflow": tf.__version__}


def build(job: Job):
    if keras.backend.backend() == "tensorflow":
        calls = min(job.workload.calls, TENSORFLOW_CALLS)
        job.workload = replace(job.workload, calls=calls)
    work = job.workload
    versions = {"keras": keras.__version__} | set_threads(job.threads)
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
    return run, versions


if __name__ == "__main__":
    serve(build)
