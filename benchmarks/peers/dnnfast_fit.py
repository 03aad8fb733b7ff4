"""dnnfast through its public interface: `fit` and `predict` as users call them. The
"resident" variant runs all steps in one kernel of a GPU; others name a dtype policy."""

from __future__ import annotations

import os

import numpy as np

import dnnfast
from dnnfast import layers
from peers.protocol import Job, serve
from workloads import Workload


def network(work: Workload) -> dnnfast.Sequential:
    model = dnnfast.Sequential([dnnfast.Input((work.widths[0],))])
    for width in work.hidden:
        if work.batchnorm:
            model.add(layers.Dense(width, use_bias=False, kernel_initializer="he_normal"))
            model.add(layers.BatchNormalization())
            model.add(layers.Activation(work.activation))
        else:
            model.add(
                layers.Dense(width, activation=work.activation, kernel_initializer="he_normal")
            )
        if work.dropout:
            model.add(layers.Dropout(work.dropout))
    model.add(layers.Dense(work.widths[-1], activation="softmax"))
    return model


def build(job: Job):
    work = job.workload
    if job.variant == "resident":
        os.environ["DNNFAST_CUDA_RESIDENT"] = "1"
    elif job.variant:
        dnnfast.config.set_dtype_policy(job.variant)
    dnnfast.config.set_device(job.device)
    dnnfast.config.set_threads(job.threads)
    model = network(work)
    model.compile(optimizer=work.optimizer or "sgd", loss="sparse_categorical_crossentropy")

    # A GPU takes all rows at once, as the peers do; a CPU as many as its cache likes.
    rows = work.rows if job.device == "cuda" else None

    def train() -> float:
        return model.fit(job.x, job.y, batch_size=work.batch, epochs=1, verbose=0).history["loss"][
            0
        ]

    def predict() -> float:
        for _ in range(work.calls):
            out = model.predict(job.x, batch_size=rows or 1024, verbose=0)
        return float(out.sum())

    def monte_carlo() -> float:
        mean, deviation = model.predict(job.x, batch_size=rows, verbose=0, mc_samples=work.samples)
        return float(mean.sum() + deviation.sum())

    run = {"train": train, "predict": predict, "mc": monte_carlo}[work.kind]
    return run, {"dnnfast": dnnfast.__version__, "numpy": np.__version__}


if __name__ == "__main__":
    serve(build)
