"""One row or more for each layer class: how it is made, and what it is called on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


def data(*shape: int, seed: int = 0) -> np.ndarray:
    """Return numbers of a standard normal distribution."""
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def numbers(below: int, *shape: int, seed: int = 0) -> np.ndarray:
    """Return integers from 0."""
    return np.random.default_rng(seed).integers(0, below, shape).astype(np.int32)


@dataclass
class Row:
    """A layer with arguments, its inputs, and the output by a formula of NumPy.

    ``formula`` takes the inputs and the weights; None where a test of its own looks at the values.
    """

    name: str
    options: dict[str, Any] = field(default_factory=dict)
    inputs: Any = field(default_factory=lambda: data(4, 6))
    formula: Callable[..., Any] | None = None
    random: bool = False  # in training
    call: dict[str, Any] = field(default_factory=dict)
    differs_in_training: bool = False
    gradients: bool = True
    keras: bool = True  # whether Keras has the layer, with the same numbers

    def __str__(self) -> str:
        shown = ",".join(f"{k}={v}" for k, v in self.options.items() if np.ndim(v) < 1)
        return f"{self.name}({shown})"


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def softmax(x: np.ndarray, axis: Any) -> np.ndarray:
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def standardized(x: np.ndarray, axes: Any, epsilon: float = 1e-3) -> np.ndarray:
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + epsilon)


def counted(x: np.ndarray, depth: int, weights: Any = None) -> np.ndarray:
    weights = np.ones(x.shape) if weights is None else weights
    return np.stack([np.where(x == i, weights, 0).sum(1) for i in range(depth)], -1)


PAIR = [data(4, 3, 5), data(4, 3, 5, seed=1)]
THREE = [*PAIR, data(4, 3, 5, seed=2)]
WIDE = [data(4, 3, 5), data(4, 1, 5, seed=1), data(4, 5, seed=2)]
STEPS = data(4, 3, 6)
EDGES = [-0.5, 0.0, 1.0]

CORE = [
    Row("Activation", {"activation": "tanh"}, formula=np.tanh),
    Row("Activation", {"activation": "glu"}, formula=lambda x: x[:, :3] / (1 + np.exp(-x[:, 3:]))),
    Row("Dense", {"units": 5}, formula=lambda x, w, b: x @ w + b),
    Row(
        "Dense",
        {"units": 5, "activation": "relu", "use_bias": False},
        STEPS,
        formula=lambda x, w: relu(x @ w),
    ),
    Row(
        "EinsumDense",
        {"equation": "abc,cd->abd", "output_shape": (None, 5), "bias_axes": "d"},
        STEPS,
        formula=lambda x, w, b: x @ w + b,
    ),
    Row(
        "EinsumDense",
        {"equation": "...x,xy->...y", "output_shape": 5, "activation": "tanh"},
        STEPS,
        formula=lambda x, w: np.tanh(x @ w),
    ),
    Row(
        "EinsumDense",
        {"equation": "ab...,bc->ac...", "output_shape": 5, "bias_axes": "c"},
        STEPS,
        formula=lambda x, w, b: np.einsum("abz,bc->acz", x, w) + b,
    ),
    Row(
        "Embedding",
        {"input_dim": 7, "output_dim": 3},
        numbers(7, 4, 5),
        formula=lambda x, w: w[x],
    ),
    Row("Flatten", {}, STEPS, formula=lambda x: x.reshape(4, -1)),
    Row(
        "Flatten",
        {"data_format": "channels_first"},
        STEPS,
        formula=lambda x: np.moveaxis(x, 1, -1).reshape(4, -1),
    ),
    Row("Identity", {}, formula=lambda x: x),
    Row(
        "Masking",
        {"mask_value": 0.5},
        np.where(np.abs(STEPS[..., :1]) > 0.5, STEPS, 0.5),
        formula=lambda x: np.where((x != 0.5).any(-1, keepdims=True), x, 0),
    ),
    Row("Permute", {"dims": (2, 1)}, STEPS, formula=lambda x: x.transpose(0, 2, 1)),
    Row("RepeatVector", {"n": 3}, formula=lambda x: np.repeat(x[:, None], 3, 1)),
    Row("Reshape", {"target_shape": (3, -1)}, formula=lambda x: x.reshape(4, 3, 2)),
    Row("Reshape", {"target_shape": (18,)}, STEPS, formula=lambda x: x.reshape(4, 18)),
]

ACTIVATIONS = [
    Row("ELU", {"alpha": 0.5}, formula=lambda x: np.where(x > 0, x, 0.5 * np.expm1(x))),
    Row("LeakyReLU", {}, formula=lambda x: np.where(x > 0, x, 0.3 * x)),
    Row("LeakyReLU", {"negative_slope": 0.1}, formula=lambda x: np.where(x > 0, x, 0.1 * x)),
    Row("PReLU", {"alpha_initializer": "random_uniform"},
        formula=lambda x, a: np.where(x > 0, x, a * x)),
    Row("PReLU", {"alpha_initializer": "random_uniform", "shared_axes": [1]}, STEPS,
        formula=lambda x, a: np.where(x > 0, x, a * x)),
    Row("ReLU", {}, formula=relu),
    Row("ReLU", {"max_value": 1.0, "negative_slope": 0.25, "threshold": 0.5},
        formula=lambda x: np.where(x > 0.5, np.minimum(x, 1), 0.25 * (x - 0.5))),
    Row("RReLU", {"lower": 0.25, "upper": 0.75}, random=True, keras=False,
        formula=lambda x: np.where(x > 0, x, 0.5 * x)),
    Row("Softmax", {}, formula=lambda x: softmax(x, -1)),
    Row("Softmax", {"axis": 1}, STEPS, formula=lambda x: softmax(x, 1)),
    Row("Softmax", {"axis": (1, 2)}, STEPS, formula=lambda x: softmax(x, (1, 2))),
    Row("Swish", {"beta": 1.5}, keras=False,
        formula=lambda x, beta: x / (1 + np.exp(-beta * x))),
    Row("Swish", {"beta": 1.5, "learn_beta": False}, keras=False,
        formula=lambda x: x / (1 + np.exp(-1.5 * x))),
]  # fmt: skip

NORMALIZATION = [
    Row("BatchNormalization", {}, differs_in_training=True,
        formula=lambda x, g, b, m, v: g * (x - m) / np.sqrt(v + 1e-3) + b),
    Row("BatchNormalization", {"axis": 1, "epsilon": 0.01}, STEPS, differs_in_training=True,
        formula=lambda x, g, b, m, v: g[:, None] * (x - m[:, None])
        / np.sqrt(v[:, None] + 0.01) + b[:, None]),
    Row("BatchNormalization", {"center": False, "scale": False, "momentum": 0.5}, STEPS,
        differs_in_training=True, formula=lambda x, m, v: (x - m) / np.sqrt(v + 1e-3)),
    Row("GroupNormalization", {"groups": 3},
        formula=lambda x, g, b: g * standardized(x.reshape(4, 3, 2), -1).reshape(4, 6) + b),
    Row("GroupNormalization", {"groups": -1, "axis": 1}, STEPS,
        formula=lambda x, g, b: g[:, None] * standardized(x, 2) + b[:, None]),
    Row("LayerNormalization", {}, formula=lambda x, g, b: g * standardized(x, -1) + b),
    Row("LayerNormalization", {"axis": [1, 2], "epsilon": 0.1}, STEPS,
        formula=lambda x, g, b: g * standardized(x, (1, 2), 0.1) + b),
    Row("LayerNormalization", {"axis": 1, "center": False}, STEPS,
        formula=lambda x, g: g[:, None] * standardized(x, 1)),
    Row("RMSNormalization", {},
        formula=lambda x, s: s * x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-6)),
    Row("RMSNormalization", {"axis": (1, 2), "epsilon": 0.1}, STEPS,
        formula=lambda x, s: s * x / np.sqrt((x * x).mean((1, 2), keepdims=True) + 0.1)),
    Row("UnitNormalization", {},
        formula=lambda x: x / np.sqrt((x * x).sum(-1, keepdims=True))),
    Row("UnitNormalization", {"axis": [1, 2]}, STEPS,
        formula=lambda x: x / np.sqrt((x * x).sum((1, 2), keepdims=True))),
]  # fmt: skip

REGULARIZATION = [
    Row("ActivityRegularization", {"l1": 0.1, "l2": 0.2}, formula=lambda x: x),
    Row("AlphaDropout", {"rate": 0.3}, random=True, formula=lambda x: x),
    Row("AlphaDropout", {"rate": 0.3, "noise_shape": (None, 1)}, random=True,
        formula=lambda x: x),
    Row("Dropout", {"rate": 0.3, "seed": 3}, random=True, formula=lambda x: x),
    Row("Dropout", {"rate": 0.3, "noise_shape": (None, 1, None)}, STEPS, random=True,
        formula=lambda x: x),
    Row("GaussianDropout", {"rate": 0.3}, random=True, formula=lambda x: x),
    Row("GaussianNoise", {"stddev": 0.3}, random=True, formula=lambda x: x),
    Row("MCAlphaDropout", {"rate": 0.3}, random=True, keras=False),
    Row("MCDropout", {"rate": 0.3}, random=True, keras=False),
    Row("SpatialDropout1D", {"rate": 0.3}, STEPS, random=True, formula=lambda x: x),
]  # fmt: skip

MERGING = [
    Row("Add", {}, THREE, formula=lambda a, b, c: a + b + c),
    Row("Add", {}, WIDE, formula=lambda a, b, c: a + b + c[:, None]),
    Row("Average", {}, THREE, formula=lambda a, b, c: (a + b + c) / 3),
    Row("Average", {}, WIDE, formula=lambda a, b, c: (a + b + c[:, None]) / 3),
    Row("Concatenate", {}, PAIR, formula=lambda a, b: np.concatenate([a, b], -1)),
    Row("Concatenate", {"axis": 1}, WIDE[:2], formula=lambda a, b: np.concatenate([a, b], 1)),
    Row("Dot", {"axes": 1}, [data(4, 6), data(4, 6, seed=1)],
        formula=lambda a, b: (a * b).sum(1, keepdims=True)),
    Row("Dot", {"axes": (1, 2), "normalize": True}, [data(4, 5, 2), data(4, 3, 5, seed=1)],
        formula=lambda a, b: np.einsum("nia,nbi->nab", a / np.sqrt((a * a).sum(1, keepdims=True)),
                                       b / np.sqrt((b * b).sum(2, keepdims=True)))),
    Row("Dot", {"axes": -1}, [data(4, 2, 3, 5), data(4, 5, seed=1)],
        formula=lambda a, b: np.einsum("nxyi,ni->nxy", a, b)),
    Row("Maximum", {}, THREE, formula=lambda *x: np.max(x, 0)),
    Row("Minimum", {}, WIDE, formula=lambda a, b, c: np.minimum(np.minimum(a, b), c[:, None])),
    Row("Multiply", {}, THREE, formula=lambda a, b, c: a * b * c),
    Row("Multiply", {}, WIDE, formula=lambda a, b, c: a * b * c[:, None]),
    Row("Subtract", {}, PAIR, formula=lambda a, b: a - b),
    Row("Subtract", {}, WIDE[1:], formula=lambda a, b: a - b[:, None]),
]  # fmt: skip

PREPROCESSING = [
    Row("CategoryEncoding", {"num_tokens": 5}, numbers(5, 4, 3), gradients=False,
        formula=lambda x: (counted(x, 5) > 0).astype(np.float32)),
    Row("CategoryEncoding", {"num_tokens": 5, "output_mode": "one_hot"}, numbers(5, 4, 1),
        gradients=False, formula=lambda x: np.eye(5)[x[:, 0]]),
    Row("CategoryEncoding", {"num_tokens": 5, "output_mode": "count"}, numbers(5, 4, 9),
        gradients=False, formula=lambda x: counted(x, 5)),
    Row("Discretization", {"bin_boundaries": EDGES}, gradients=False,
        formula=lambda x: np.digitize(x, EDGES)),
    Row("Discretization", {"bin_boundaries": EDGES, "output_mode": "count"}, gradients=False,
        formula=lambda x: counted(np.digitize(x, EDGES), 4)),
    Row("Discretization", {"bin_boundaries": EDGES, "output_mode": "one_hot"}, data(4, 3, 1),
        gradients=False, formula=lambda x: np.eye(4)[np.digitize(x[..., 0], EDGES)]),
    Row("Normalization", {"mean": [1.0] * 6, "variance": [4.0] * 6},
        formula=lambda x: (x - 1) / 2),
    Row("Normalization", {"mean": 1.0, "variance": 4.0, "invert": True}, STEPS,
        formula=lambda x: 2 * x + 1),
    Row("Normalization", {"axis": 1}, STEPS,
        formula=lambda x, m, v, n: (x - m[:, None]) / np.sqrt(v[:, None])),
    Row("Normalization", {"axis": None, "invert": True}, STEPS,
        formula=lambda x, m, v, n: x * np.sqrt(v) + m),
    Row("Rescaling", {"scale": 0.5, "offset": 1.0}, formula=lambda x: 0.5 * x + 1),
    Row("Rescaling", {"scale": [0.5] * 6}, formula=lambda x: 0.5 * x),
]  # fmt: skip

ROWS = [*CORE, *ACTIVATIONS, *NORMALIZATION, *REGULARIZATION, *MERGING, *PREPROCESSING]
# Made of other layers, or of functions: tests of their own.
ELSEWHERE = {
    "InputLayer": "test_models",
    "Lambda": "test_layer_wrappers",
    "Layer": "test_own_layers",
    "OperationLayer": "test_variables",
    "TimeDistributed": "test_layer_wrappers",
    "Wrapper": "test_layer_wrappers",
}
