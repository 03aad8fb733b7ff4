"""JAX with the whole epoch in one jitted `lax.scan` and donated state: its fastest form.
It runs where JAX does by default; on a GPU float32 products are TF32 unless more is asked for."""

from __future__ import annotations

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np

from peers.protocol import Job, NotExpressible, serve
from workloads import Workload

# Philox bits instead of threefry: several times faster for dropout on a CPU.
jax.config.update("jax_default_prng_impl", "unsafe_rbg")


def init(work: Workload) -> tuple[list[dict], list[dict]]:
    """Trainable arrays of each layer, and its moving statistics."""
    rng = np.random.default_rng(1)
    params, stats = [], []
    for i, (fan_in, width) in enumerate(pairwise(work.widths)):
        layer = {"w": rng.normal(0, np.sqrt(2 / fan_in), (fan_in, width)).astype(np.float32)}
        normed = work.batchnorm and i < len(work.hidden)
        if normed:
            layer |= {"gamma": np.ones(width, np.float32), "beta": np.zeros(width, np.float32)}
        else:
            layer["b"] = np.zeros(width, np.float32)
        moving = {"mean": np.zeros(width, np.float32), "var": np.ones(width, np.float32)}
        params.append(layer)
        stats.append(moving if normed else {})
    return jax.device_put(params), jax.device_put(stats)


def forward(work: Workload, params, stats, x, key, *, batch_statistics: bool, drop: bool):
    """Logits, and the new moving statistics."""
    activation = {"relu": jax.nn.relu, "elu": jax.nn.elu}[work.activation]
    new_stats = []
    for i, (layer, moving) in enumerate(zip(params, stats, strict=True)):
        x = x @ layer["w"]
        if "b" in layer:
            x = x + layer["b"]
        if moving:
            mean, var = moving["mean"], moving["var"]
            if batch_statistics:
                mean, var = x.mean(0), x.var(0)
                moving = {
                    k: 0.99 * moving[k] + 0.01 * new for k, new in (("mean", mean), ("var", var))
                }
            x = (x - mean) * (jax.lax.rsqrt(var + 1e-3) * layer["gamma"]) + layer["beta"]
        new_stats.append(moving)
        if i < len(work.hidden):
            x = activation(x)
            if drop and work.dropout:
                keep = jax.random.bernoulli(jax.random.fold_in(key, i), 1 - work.dropout, x.shape)
                x = jnp.where(keep, x / (1 - work.dropout), 0)
    return x, new_stats


def update(name: str, rate: float, params, grads, slots, t):
    """One optimizer step in the form Keras uses; `slots` is a tuple of trees."""
    tree = jax.tree.map
    if name == "sgd":
        return tree(lambda w, g: w - rate * g, params, grads), slots
    if name == "rmsprop":
        v = tree(lambda v, g: 0.9 * v + 0.1 * g * g, slots[0], grads)
        return tree(lambda w, g, v: w - rate * g * jax.lax.rsqrt(v + 1e-7), params, grads, v), (v,)
    m = tree(lambda m, g: m + 0.1 * (g - m), slots[0], grads)
    v = tree(lambda v, g: v + 0.001 * (g * g - v), slots[1], grads)
    if name == "adam":
        a = rate * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        return tree(lambda w, m, v: w - a * m / (jnp.sqrt(v) + 1e-7), params, m, v), (m, v)
    u, u_next = (0.9 * (1 - 0.5 * 0.96**s) for s in (t, t + 1))
    product = slots[2] * u
    a, b, c = (
        rate * u_next / (1 - product * u_next),
        rate * (1 - u) / (1 - product),
        1 / (1 - 0.999**t),
    )
    params = tree(
        lambda w, g, m, v: w - (a * m + b * g) / (jnp.sqrt(v * c) + 1e-7), params, grads, m, v
    )
    return params, (m, v, product)


def _slots(name: str, params):
    zeros = jax.tree.map(jnp.zeros_like, params)
    copy = jax.tree.map(jnp.zeros_like, params)
    extra = {
        "sgd": (),
        "rmsprop": (zeros,),
        "adam": (zeros, copy),
        "nadam": (zeros, copy, jnp.float32(1)),
    }
    return extra[name]


def _trainer(job: Job):
    work = job.workload
    params, stats = init(work)
    state = (params, stats, _slots(work.optimizer, params), jnp.float32(0), jax.random.key(3))
    x, y = jax.device_put(job.x), jax.device_put(job.y)

    def loss(params, stats, xb, yb, key):
        logits, stats = forward(work, params, stats, xb, key, batch_statistics=True, drop=True)
        logp = jax.nn.log_softmax(logits)
        return -jnp.take_along_axis(logp, yb[:, None], 1).mean(), stats

    def epoch(state, x, y, order):
        def step(state, rows):
            params, stats, slots, t, key = state
            t = t + 1
            (value, stats), grads = jax.value_and_grad(loss, has_aux=True)(
                params, stats, x[rows], y[rows], jax.random.fold_in(key, t.astype(jnp.int32))
            )
            params, slots = update(work.optimizer, work.learning_rate, params, grads, slots, t)
            return (params, stats, slots, t, key), value

        state, losses = jax.lax.scan(step, state, order)
        return state, losses.mean()

    epoch = jax.jit(epoch, donate_argnums=(0,))
    rng = np.random.default_rng(5)

    def run() -> float:
        nonlocal state
        order = rng.permutation(work.rows).astype(np.int32).reshape(work.steps, work.batch)
        state, value = epoch(state, x, y, order)
        return float(value)

    return run


def _predictor(job: Job):
    work = job.workload
    params, stats = init(work)

    @jax.jit
    def predict(params, stats, x):
        logits, _ = forward(work, params, stats, x, None, batch_statistics=False, drop=False)
        return jax.nn.softmax(logits)

    def run() -> float:
        for _ in range(work.calls):
            out = np.asarray(predict(params, stats, job.x))
        return float(out.sum())

    return run


def _monte_carlo(job: Job):
    work = job.workload
    params, stats = init(work)

    @jax.jit
    def predict(params, stats, x, key):
        def sample(total, key):
            logits, _ = forward(work, params, stats, x, key, batch_statistics=False, drop=True)
            p = jax.nn.softmax(logits)
            return (total[0] + p, total[1] + p * p), None

        zero = jnp.zeros((x.shape[0], work.widths[-1]), x.dtype)
        (s, s2), _ = jax.lax.scan(sample, (zero, zero), jax.random.split(key, work.samples))
        mean = s / work.samples
        return mean, jnp.sqrt(jnp.maximum(s2 / work.samples - mean * mean, 0))

    key = jax.random.key(9)

    def run() -> float:
        mean, deviation = predict(params, stats, job.x, key)
        return float(np.asarray(mean).sum() + np.asarray(deviation).sum())

    return run


def build(job: Job):
    if job.device == "cuda" and jax.default_backend() != "gpu":
        raise NotExpressible("this JAX sees no GPU")
    make = {"train": _trainer, "predict": _predictor, "mc": _monte_carlo}[job.workload.kind]
    return make(job), {"jax": jax.__version__}


if __name__ == "__main__":
    serve(build)
