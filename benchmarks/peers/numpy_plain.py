"""A trainer in plain NumPy, written the obvious way with a little care: in-place updates, float32,
one BLAS call per product. On a GPU the same with CuPy in NumPy's place."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from itertools import pairwise

if "cuda" in sys.argv:  # chosen before the options are parsed
    import cupy as np
else:
    import numpy as np

from peers.protocol import Job, serve
from workloads import Workload

EPSILON = 1e-3  # of batch normalization


class Network:
    """Parameters, caches of the last forward pass and gradients, as lists of dicts per layer."""

    def __init__(self, work: Workload) -> None:
        self.work = work
        self.rng = np.random.default_rng(1)
        self.params: list[dict[str, np.ndarray]] = []
        self.moving: list[tuple[np.ndarray, np.ndarray] | None] = []
        for i, (fan_in, width) in enumerate(pairwise(work.widths)):
            layer = {
                "w": self.rng.standard_normal((fan_in, width), dtype=np.float32)
                * np.float32(math.sqrt(2 / fan_in))
            }
            normed = work.batchnorm and i < len(work.hidden)
            if normed:
                layer |= {"gamma": np.ones(width, np.float32), "beta": np.zeros(width, np.float32)}
            else:
                layer["b"] = np.zeros(width, np.float32)
            self.params.append(layer)
            self.moving.append(
                (np.zeros(width, np.float32), np.ones(width, np.float32)) if normed else None
            )

    def forward(self, x: np.ndarray, *, train: bool, drop: bool) -> tuple[np.ndarray, list[dict]]:
        """Softmax probabilities, and what the backward pass needs."""
        caches = []
        for i, (layer, moving) in enumerate(zip(self.params, self.moving, strict=True)):
            cache: dict[str, np.ndarray] = {"x": x}
            z = x @ layer["w"]
            if moving is None:
                z += layer["b"]
            else:
                z = self._normalize(z, layer, moving, cache, train)
            if i < len(self.work.hidden):
                x = self._activate(z, cache)
                if drop and self.work.dropout:
                    keep = self.rng.random(x.shape, dtype=np.float32) >= self.work.dropout
                    cache["keep"] = keep / np.float32(1 - self.work.dropout)
                    x = x * cache["keep"]
            caches.append(cache)
        z -= z.max(1, keepdims=True)
        np.exp(z, out=z)
        z /= z.sum(1, keepdims=True)
        return z, caches

    def _normalize(self, z, layer, moving, cache, train):
        mean, var = (z.mean(0), z.var(0)) if train else moving
        if train:
            moving[0][:] += np.float32(0.01) * (mean - moving[0])
            moving[1][:] += np.float32(0.01) * (var - moving[1])
        cache["scale"] = 1 / np.sqrt(var + np.float32(EPSILON))
        cache["xhat"] = (z - mean) * cache["scale"]
        return cache["xhat"] * layer["gamma"] + layer["beta"]

    def _activate(self, z, cache):
        if self.work.activation == "relu":
            cache["y"] = np.maximum(z, 0)
        else:
            cache["y"] = np.where(z > 0, z, np.expm1(np.minimum(z, 0)))
        return cache["y"]

    def backward(self, dz: np.ndarray, caches: list[dict]) -> list[dict[str, np.ndarray]]:
        grads: list[dict[str, np.ndarray]] = [{} for _ in caches]
        for i in reversed(range(len(caches))):
            cache, layer, grad = caches[i], self.params[i], grads[i]
            if "y" in cache:
                dz = dz * cache["keep"] if "keep" in cache else dz
                slope = (
                    cache["y"] > 0
                    if self.work.activation == "relu"
                    else np.minimum(cache["y"], 0) + 1
                )
                dz = dz * slope
            if "xhat" in cache:
                xhat = cache["xhat"]
                grad["beta"], grad["gamma"] = dz.sum(0), (dz * xhat).sum(0)
                n = np.float32(len(dz))
                dz = (
                    layer["gamma"]
                    * cache["scale"]
                    * (dz - grad["beta"] / n - xhat * (grad["gamma"] / n))
                )
            else:
                grad["b"] = dz.sum(0)
            grad["w"] = cache["x"].T @ dz
            if i:
                dz = dz @ layer["w"].T
        return grads


class Optimizer:
    """The four update rules in the form Keras uses, in place."""

    def __init__(self, work: Workload, params: list[dict[str, np.ndarray]]) -> None:
        self.name, self.rate, self.t, self.product = work.optimizer, work.learning_rate, 0, 1.0
        self.m = [{k: np.zeros_like(v) for k, v in layer.items()} for layer in params]
        self.v = [{k: np.zeros_like(v) for k, v in layer.items()} for layer in params]

    def step(self, params, grads) -> None:
        self.t += 1
        u, u_next = (0.9 * (1 - 0.5 * 0.96**s) for s in (self.t, self.t + 1))
        self.product *= u
        for layer, grad, m, v in zip(params, grads, self.m, self.v, strict=True):
            for key, g in grad.items():
                layer[key] -= self._change(g, m[key], v[key], u, u_next)

    def _change(self, g, m, v, u: float, u_next: float) -> np.ndarray:
        f = np.float32
        if self.name == "sgd":
            return f(self.rate) * g
        if self.name == "rmsprop":
            v *= f(0.9)
            v += f(0.1) * g * g
            return f(self.rate) * g / np.sqrt(v + f(1e-7))
        m += (g - m) * f(0.1)
        v += (g * g - v) * f(0.001)
        if self.name == "adam":
            a = self.rate * math.sqrt(1 - 0.999**self.t) / (1 - 0.9**self.t)
            return f(a) * m / (np.sqrt(v) + f(1e-7))
        a = self.rate * u_next / (1 - self.product * u_next)
        b = self.rate * (1 - u) / (1 - self.product)
        return (f(a) * m + f(b) * g) / (np.sqrt(v * f(1 / (1 - 0.999**self.t))) + f(1e-7))


def _trainer(job: Job):
    work = job.workload
    network = Network(work)
    optimizer = Optimizer(work, network.params)

    def run() -> float:
        order = network.rng.random(work.rows).argsort()
        total = 0.0
        rows = np.arange(work.batch)
        for begin in range(0, work.rows, work.batch):
            pick = order[begin : begin + work.batch]
            labels = job.y[pick]
            p, caches = network.forward(job.x[pick], train=True, drop=True)
            total -= float(np.log(p[rows, labels] + 1e-7).mean())
            p[rows, labels] -= 1
            p /= work.batch
            optimizer.step(network.params, network.backward(p, caches))
        return total / work.steps

    return run


def _predictor(job: Job):
    network = Network(job.workload)

    def run() -> float:
        for _ in range(job.workload.calls):
            out, _ = network.forward(job.x, train=False, drop=False)
        return float(out.sum())

    return run


def _monte_carlo(job: Job):
    work = job.workload
    network = Network(work)

    def run() -> float:
        total = np.zeros((work.batch, work.widths[-1]), np.float32)
        squares = np.zeros_like(total)
        for _ in range(work.samples):
            p, _ = network.forward(job.x, train=False, drop=True)
            total += p
            squares += p * p
        mean = total / work.samples
        return float(
            mean.sum() + np.sqrt(np.maximum(squares / work.samples - mean * mean, 0)).sum()
        )

    return run


def build(job: Job):
    make = {"train": _trainer, "predict": _predictor, "mc": _monte_carlo}[job.workload.kind]
    job = replace(job, x=np.asarray(job.x), y=np.asarray(job.y))
    return make(job), {np.__name__: np.__version__}


if __name__ == "__main__":
    serve(build)
