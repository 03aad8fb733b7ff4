"""Calls of the functions that compare with classes, normalize, choose and loop."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ops.cases import Case

ONES = np.ones(6, np.float32)
GAMMA = np.linspace(0.5, 1.5, 6, dtype=np.float32)


def _softmax(x: np.ndarray, axis: Any = -1) -> np.ndarray:
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def _sparsemax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    low, high = x.min(axis, keepdims=True) - 1, x.max(axis, keepdims=True)
    for _ in range(60):  # the threshold for which the sum is 1, by bisection
        middle = (low + high) / 2
        above = np.maximum(x - middle, 0).sum(axis, keepdims=True) > 1
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.maximum(x - low, 0)


def _one_hot(j: np.ndarray, n: int) -> np.ndarray:
    return (j[..., None] == np.arange(n)).astype(float)


def _layer(x: np.ndarray) -> np.ndarray:
    return (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-7)


CLASSES = [
    Case("softmax", lambda k, x: k.softmax(x), numpy=_softmax),
    Case("softmax", lambda k, x: k.softmax(x, axis=0), numpy=lambda x: _softmax(x, 0), label="0"),
    Case(
        "softmax",
        lambda k, c: k.softmax(c, axis=(1, 2)),
        "c",
        lambda c: _softmax(c, (1, 2)),
        label="two",
    ),
    Case("softmax", lambda k, c: k.softmax(c), "c", _softmax),
    Case("log_softmax", lambda k, x: k.log_softmax(x), numpy=lambda x: np.log(_softmax(x))),
    Case(
        "log_softmax", lambda k, c: k.log_softmax(c, axis=1), "c", lambda c: np.log(_softmax(c, 1))
    ),
    Case("sparsemax", lambda k, x: k.sparsemax(x), numpy=_sparsemax),
    Case("sparsemax", lambda k, c: k.sparsemax(c, axis=1), "c", lambda c: _sparsemax(c, 1)),
    Case(
        "categorical_crossentropy",
        lambda k, o, p: k.categorical_crossentropy(o, p),
        "op",
        lambda o, p: -(o * np.log(p / p.sum(1, keepdims=True))).sum(1),
    ),
    Case(
        "categorical_crossentropy",
        lambda k, o, x: k.categorical_crossentropy(o, x, from_logits=True),
        "ox",
        lambda o, x: -(o * np.log(_softmax(x))).sum(1),
    ),
    Case(
        "categorical_crossentropy",
        lambda k, c: k.categorical_crossentropy(k.softmax(c, 1), c, from_logits=True, axis=1),
        "c",
        lambda c: -(_softmax(c, 1) * np.log(_softmax(c, 1))).sum(1),
        label="axis",
    ),
    Case(
        "sparse_categorical_crossentropy",
        lambda k, j, p: k.sparse_categorical_crossentropy(j, p),
        "jp",
        lambda j, p: -np.log((p / p.sum(1, keepdims=True))[range(5), j]),
    ),
    Case(
        "sparse_categorical_crossentropy",
        lambda k, j, x: k.sparse_categorical_crossentropy(k.expand_dims(j, 1), x, from_logits=True),
        "jx",
        lambda j, x: -np.log(_softmax(x)[range(5), j]),
    ),
    Case(
        "binary_crossentropy",
        lambda k, o, p: k.binary_crossentropy(o, p / 3),
        "op",
        lambda o, p: -o * np.log(p / 3) - (1 - o) * np.log(1 - p / 3),
    ),
    Case(
        "binary_crossentropy",
        lambda k, b, x: k.binary_crossentropy(k.cast(b, "float32"), x, from_logits=True),
        "bx",
        lambda b, x: np.log1p(np.exp(x)) - b * x,
    ),
    Case(
        "in_top_k",
        lambda k, j, x: k.in_top_k(j, x, 2),
        "jx",
        lambda j, x: (np.argsort(-x)[:, :2] == j[:, None]).any(1),
        False,
    ),
    Case("moments", lambda k, x: k.moments(x, axes=0), numpy=lambda x: (x.mean(0), x.var(0))),
    Case(
        "moments",
        lambda k, c: k.moments(c, axes=(0, 2), keepdims=True),
        "c",
        lambda c: (c.mean((0, 2), keepdims=True), c.var((0, 2), keepdims=True)),
    ),
    Case(
        "normalize",
        lambda k, x: k.normalize(x),
        numpy=lambda x: x / np.linalg.norm(x, axis=1, keepdims=True),
    ),
    Case(
        "normalize",
        lambda k, x: k.normalize(x, axis=0, order=1),
        numpy=lambda x: x / np.abs(x).sum(0),
        label="1",
    ),
    Case(
        "normalize",
        lambda k, x: k.normalize(x, order=3),
        numpy=lambda x: x / (np.abs(x) ** 3).sum(1, keepdims=True) ** (1 / 3),
        label="3",
    ),
    Case(
        "batch_normalization",
        lambda k, x: k.batch_normalization(x, 0.5 * ONES, 2 * ONES, -1, ONES, GAMMA),
        numpy=lambda x: GAMMA * (x - 0.5) / np.sqrt(2.001) + 1,
    ),
    Case(
        "batch_normalization",
        lambda k, c: k.batch_normalization(c, ONES[:3], ONES[:3], 1),
        "c",
        lambda c: (c - 1) / math.sqrt(1.001),
    ),
    Case("layer_normalization", lambda k, x: k.layer_normalization(x), numpy=_layer),
    Case(
        "layer_normalization",
        lambda k, x: k.layer_normalization(x, GAMMA, ONES, epsilon=1e-7),
        numpy=lambda x: _layer(x) * GAMMA + 1,
        label="scaled",
    ),
    Case(
        "layer_normalization",
        lambda k, c: k.layer_normalization(c, axis=(1, 2)),
        "c",
        lambda c: (
            (c - c.mean((1, 2), keepdims=True)) / np.sqrt(c.var((1, 2), keepdims=True) + 1e-7)
        ),
    ),
    Case(
        "rms_normalization",
        lambda k, x: k.rms_normalization(x, GAMMA),
        numpy=lambda x: GAMMA * x / np.sqrt((x * x).mean(1, keepdims=True) + 1e-7),
    ),
]

LOOPS = [
    Case(
        "cond",
        lambda k, x: k.cond(k.sum(x) > 0, lambda: x * x, lambda: -x),
        numpy=lambda x: x * x if x.sum() > 0 else -x,
    ),
    Case(
        "cond",
        lambda k, x: k.cond(k.sum(x) < 0, lambda: x * x, lambda: -x),
        numpy=lambda x: x * x if x.sum() < 0 else -x,
        label="other",
    ),
    Case(
        "switch",
        lambda k, x, j: k.switch(k.max(j), [lambda a: a, lambda a: a + 1, lambda a: a * a], x),
        "xj",
        lambda x, j: x * x,
    ),
    Case(
        "fori_loop",
        lambda k, x: k.fori_loop(0, 3, lambda i, a: a * x + i, x),
        numpy=lambda x: ((x * x) * x + 1) * x + 2,
    ),
    Case(
        "while_loop",
        lambda k, x: k.while_loop(
            lambda a: k.max(a) < 20.0, lambda a: a * 2, k.abs(x), maximum_iterations=8
        ),
        numpy=None,
    ),
    Case(
        "scan",
        lambda k, x: k.scan(lambda c, r: (c + r, c * r), k.zeros_like(x[:, 0]), k.transpose(x)),
        numpy=None,
    ),
    Case(
        "scan",
        lambda k, x: k.scan(
            lambda c, r: (c + r, c * r), k.zeros_like(x[:, 0]), k.transpose(x), reverse=True
        ),
        numpy=None,
        label="reverse",
    ),
    Case(
        "associative_scan",
        lambda k, x: k.associative_scan(lambda a, b: a * b, x, axis=1),
        numpy=lambda x: np.cumprod(x, 1),
    ),
    Case(
        "associative_scan",
        lambda k, x: k.associative_scan(lambda a, b: a + b, x, reverse=True, axis=1),
        numpy=lambda x: np.cumsum(x[:, ::-1], 1)[:, ::-1],
        label="reverse",
    ),
    Case(
        "map",
        lambda k, x: k.map(lambda r: r * k.sum(r), k.transpose(x)),
        numpy=lambda x: x.T * x.T.sum(1, keepdims=True),
    ),
    Case(
        "vectorized_map",
        lambda k, x: k.vectorized_map(lambda r: r * k.sum(r), k.transpose(x)),
        numpy=lambda x: x.T * x.T.sum(1, keepdims=True),
    ),
]
