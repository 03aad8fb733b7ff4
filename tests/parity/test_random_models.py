"""Thirty random models with every kind of layer: Keras and we compute and learn the same."""

import numpy as np
import pytest

import dnnfast as keras
from parity.oracle import double_precision, keras3

pytestmark = pytest.mark.parity

COUNT, ROWS, WIDTH = 30, 12, 6
ACTIVATIONS = [
    "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish", "sigmoid", "tanh",
    "softplus", "softsign", "softmax", "log_softmax", "hard_sigmoid", "hard_silu", "exponential",
]  # fmt: skip

# Each makes layers from a package, a generator of random numbers and the width; by kind.
VECTOR = {
    "dense": lambda k, r, n: k.layers.Dense(n, str(r.choice(ACTIVATIONS))),
    "dense_regularized": lambda k, r, n: k.layers.Dense(
        n,
        "tanh",
        kernel_regularizer=k.regularizers.L1L2(1e-3, 1e-2),
        bias_regularizer="l2",
        activity_regularizer=k.regularizers.L2(1e-3),
    ),
    "dense_constrained": lambda k, r, n: k.layers.Dense(
        n, kernel_constraint=k.constraints.MaxNorm(0.7), bias_constraint="non_neg"
    ),
    "dense_orthogonal": lambda k, r, n: k.layers.Dense(
        n, kernel_regularizer=k.regularizers.OrthogonalRegularizer(0.02, "columns")
    ),
    "activation": lambda k, r, n: k.layers.Activation(str(r.choice(ACTIVATIONS))),
    "relu": lambda k, r, n: k.layers.ReLU(max_value=2.0, negative_slope=0.1, threshold=0.2),
    "leaky_relu": lambda k, r, n: k.layers.LeakyReLU(negative_slope=0.2),
    "prelu": lambda k, r, n: k.layers.PReLU(alpha_initializer=k.initializers.Constant(0.3)),
    "elu": lambda k, r, n: k.layers.ELU(alpha=0.7),
    "softmax": lambda k, r, n: k.layers.Softmax(),
    "batchnorm": lambda k, r, n: k.layers.BatchNormalization(momentum=0.8),
    "batchnorm_plain": lambda k, r, n: k.layers.BatchNormalization(center=False, scale=False),
    "layernorm": lambda k, r, n: k.layers.LayerNormalization(),
    "rmsnorm": lambda k, r, n: k.layers.RMSNormalization(),
    "unitnorm": lambda k, r, n: k.layers.UnitNormalization(),
    "normalization": lambda k, r, n: k.layers.Normalization(
        mean=[0.1] * n, variance=[2.0] * n
    ),
    "dropout": lambda k, r, n: k.layers.Dropout(0.0),
    "alpha_dropout": lambda k, r, n: k.layers.AlphaDropout(0.0),
    "gaussian_noise": lambda k, r, n: k.layers.GaussianNoise(0.0),
    "gaussian_dropout": lambda k, r, n: k.layers.GaussianDropout(0.0),
    "activity": lambda k, r, n: k.layers.ActivityRegularization(l1=1e-3, l2=1e-3),
    "rescaling": lambda k, r, n: k.layers.Rescaling(0.5, offset=0.1),
    "identity": lambda k, r, n: k.layers.Identity(),
    "lambda": lambda k, r, n: k.layers.Lambda(lambda x: x * 0.5),
}  # fmt: skip
# From [batch, n] to another shape and back to [batch, n].
DETOURS = {
    "reshape": lambda k, r, n: [k.layers.Reshape((2, n // 2)), k.layers.Flatten()],
    "permute": lambda k, r, n: [
        k.layers.Reshape((2, n // 2)), k.layers.Permute((2, 1)), k.layers.Flatten(),
    ],
    "repeat": lambda k, r, n: [
        k.layers.RepeatVector(3), k.layers.Dense(n // 2), k.layers.Flatten(), k.layers.Dense(n),
    ],
    "dense_on_matrix": lambda k, r, n: [
        k.layers.Reshape((2, n // 2)), k.layers.Dense(3, "relu"), k.layers.Flatten(),
        k.layers.Dense(n),
    ],
    "batchnorm_axis_1": lambda k, r, n: [
        k.layers.Reshape((2, n // 2)), k.layers.BatchNormalization(axis=1), k.layers.Flatten(),
    ],
    "softmax_axis_1": lambda k, r, n: [
        k.layers.Reshape((2, n // 2)), k.layers.Softmax(axis=1), k.layers.Flatten(),
    ],
}  # fmt: skip
MERGES = {
    "concatenate": lambda k: k.layers.Concatenate(),
    "add": lambda k: k.layers.Add(),
    "subtract": lambda k: k.layers.Subtract(),
    "multiply": lambda k: k.layers.Multiply(),
    "average": lambda k: k.layers.Average(),
    "maximum": lambda k: k.layers.Maximum(),
    "minimum": lambda k: k.layers.Minimum(),
    "dot": lambda k: k.layers.Dot(axes=1, normalize=True),
}
LOSSES = [
    "mean_squared_error", "mean_absolute_error", "huber", "log_cosh", "kl_divergence", "poisson",
    "binary_crossentropy", "categorical_crossentropy", "cosine_similarity", "hinge",
    "mean_squared_logarithmic_error", "categorical_focal_crossentropy",
]  # fmt: skip
OPTIMIZERS = [
    "SGD", "RMSprop", "Adam", "Nadam", "Adagrad", "Adadelta", "Adamax", "AdamW", "Lion", "Ftrl",
]  # fmt: skip


def kinds_of(seed):
    """The kinds in a model: all kinds turn up within a few models."""
    vector, detours = sorted(VECTOR), sorted(DETOURS)
    chosen = [vector[(3 * seed + i) % len(vector)] for i in range(3)]
    return chosen, detours[seed % len(detours)], sorted(MERGES)[seed % len(MERGES)]


def build(k, seed):
    rng = np.random.default_rng(seed)
    kinds, detour, merge = kinds_of(seed)
    x = k.Input((WIDTH,), name="x")
    h = k.layers.Dense(WIDTH, "tanh", name="first")(x)
    for kind in kinds:
        h = VECTOR[kind](k, rng, WIDTH)(h)
    other = h
    for layer in DETOURS[detour](k, rng, WIDTH):
        other = layer(other)
    joined = MERGES[merge](k)([h, other])
    activation = "softmax" if seed % 2 else "sigmoid"
    return k.Model(x, k.layers.Dense(3, activation, name="last")(joined))


def data_of(seed):
    rng = np.random.default_rng(1000 + seed)
    x = rng.normal(size=(ROWS, WIDTH)).astype(np.float32)
    y = np.eye(3, dtype=np.float32)[rng.integers(0, 3, ROWS)]
    return x, y


def pair_of(seed, optimizer):
    """The same model of both packages, with the same weights."""
    models = []
    for package in (keras, keras3):
        model = build(package, seed)
        model.compile(optimizer(package), LOSSES[seed % len(LOSSES)])
        models.append(model)
    ours, theirs = models
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in theirs.get_weights()]
    rng = np.random.default_rng(2000 + seed)
    start = [
        w if "moving" in v.path or "mean" in v.path or "count" in v.path
        else (0.5 * rng.normal(size=w.shape) + (np.ndim(w) == 1)).astype(np.float32)
        for v, w in zip(theirs.weights, theirs.get_weights(), strict=True)
    ]  # fmt: skip
    for model in models:
        model.set_weights(start)
    return ours, theirs, start


def distance(a, b):
    size = max(np.linalg.norm(b), 1e-3 * np.sqrt(np.size(b)))
    return np.linalg.norm(np.asarray(a) - np.asarray(b)) / size


def test_every_kind_is_in_some_model():
    used = [kinds_of(seed) for seed in range(COUNT)]
    assert {kind for kinds, _, _ in used for kind in kinds} == set(VECTOR)
    assert {detour for _, detour, _ in used} == set(DETOURS)
    assert {merge for _, _, merge in used} == set(MERGES)


@pytest.mark.parametrize("seed", range(COUNT))
def test_outputs_losses_and_gradients(seed):
    ours, theirs, start = pair_of(seed, lambda k: k.optimizers.SGD(1.0))
    x, y = data_of(seed)
    assert distance(ours.predict(x, verbose=0), theirs.predict(x, verbose=0)) < 1e-5
    mine, other = ours.evaluate(x, y, verbose=0), theirs.evaluate(x, y, verbose=0)
    assert mine == pytest.approx(other, rel=1e-5, abs=1e-6)
    # A step of SGD at rate 1 is the gradient (constraints follow it).
    for model in (ours, theirs):
        model.train_on_batch(x, y)
    for v, before, a, b in zip(
        theirs.weights, start, ours.get_weights(), theirs.get_weights(), strict=True
    ):
        assert distance(a - before, b - before) < 2e-4, v.path


@pytest.mark.parametrize("seed", range(COUNT))
def test_twenty_steps(seed):
    name = OPTIMIZERS[seed % len(OPTIMIZERS)]
    x, y = data_of(seed)
    # In float32, Keras's Ftrl loses a fifth of a step in the difference of two square roots.
    with double_precision():
        ours, theirs, _ = pair_of(seed, lambda k: getattr(k.optimizers, name)(1e-3))
        for _ in range(20):
            mine, other = ours.train_on_batch(x, y), theirs.train_on_batch(x, y)
            assert np.ravel(mine)[0] == pytest.approx(np.ravel(other)[0], rel=1e-4, abs=1e-6)
        for v, a, b in zip(theirs.weights, ours.get_weights(), theirs.get_weights(), strict=True):
            assert distance(a, b) < 1e-3, v.path
