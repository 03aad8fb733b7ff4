"""Graphs that together use every op, fused and not, shared and not."""

import numpy as np

from dnnfast.graph import Graph, Loss, Metric, Optimizer, Parameter


class Builder:
    """A graph under construction, with weights made on the way."""

    def __init__(self, *input_shapes):
        self.graph = Graph(optimizer=Optimizer("adam", {"epsilon": 1e-3}))
        self.inputs = [
            self.graph.add_input(f"input_{i}", shape) for i, shape in enumerate(input_shapes)
        ]
        self.streams = 0

    def shape(self, x):
        return self.graph.tensors[x].shape

    def parameter(self, name, *shape, **options):
        name = f"{name}_{len(self.graph.parameters)}"
        return self.graph.add_parameter(Parameter(name, shape, **options))

    def dense(self, x, units, bias=True, activation=None, alpha=0.0, **options):
        inputs = [x, self.parameter("kernel", self.shape(x)[-1], units, **options)]
        if bias:
            inputs.append(self.parameter("bias", units, trainable=options.get("trainable", True)))
        z = self.graph.add_node("dense", inputs, {}, (*self.shape(x)[:-1], units))
        return self.activation(z, activation, alpha) if activation else z

    def activation(self, x, kind, alpha=0.0):
        return self.unary(x, "activation", kind=kind, alpha=alpha, beta=0.0)

    def unary(self, x, op, shape=None, **attrs):
        return self.graph.add_node(op, [x], attrs, shape or self.shape(x))

    def dropout(self, x, rate, mode="auto"):
        self.streams += 1
        return self.unary(x, "dropout", rate=rate, stream=self.streams, mode=mode)

    def batchnorm(self, x, scale=True, center=True, mode="auto", trainable=True):
        n = self.shape(x)[-1]
        inputs = [x]
        if scale:
            inputs.append(self.parameter("gamma", n, trainable=trainable))
        if center:
            inputs.append(self.parameter("beta", n, trainable=trainable))
        inputs.append(self.parameter("moving_mean", n, trainable=False))
        inputs.append(self.parameter("moving_variance", n, trainable=False))
        attrs = {
            "momentum": 0.9,
            "epsilon": 1e-3,
            "scale": scale,
            "center": center,
            "mode": mode,
        }
        return self.graph.add_node("batchnorm", inputs, attrs, self.shape(x))

    def join(self, op, *xs):
        shape = self.shape(xs[0])
        if op == "concatenate":
            shape = (*shape[:-1], sum(self.shape(x)[-1] for x in xs))
        return self.graph.add_node(op, list(xs), {}, shape)

    def finish(self, *outputs, loss="sparse_categorical_crossentropy", metrics=(), **options):
        self.graph.outputs = list(outputs)
        for i, output in enumerate(outputs):
            self.graph.losses.append(Loss(loss, output, i, weight=1.0 / (1 + i), **options))
        self.graph.metrics = [Metric(kind, outputs[0], 0) for kind in metrics]
        return self.graph


def mlp():
    b = Builder((33,))
    x = b.dense(b.inputs[0], 31, activation="relu")
    x = b.dense(x, 100, activation="tanh")
    x = b.unary(b.dense(x, 10), "softmax")
    return b.finish(x, metrics=["sparse_categorical_accuracy"])


def normalized():
    b = Builder((20,))
    x = b.dense(b.inputs[0], 33, bias=False)
    x = b.dropout(b.activation(b.batchnorm(x), "elu", 1.0), 0.2)
    x = b.batchnorm(b.dense(x, 17, activation="selu"), scale=False)
    x = b.dropout(b.dense(x, 17, activation="gelu"), 0.3)
    return b.finish(
        b.unary(b.dense(x, 7), "softmax"),
        loss="categorical_crossentropy",
        label_smoothing=0.1,
        metrics=["categorical_accuracy"],
    )


def residual():
    b = Builder((16,), (5,))
    left = b.dense(b.inputs[0], 24, activation="silu", alpha=1.0)
    inner = b.dense(b.dropout(left, 0.25), 24, activation="relu")
    x = b.join("add", left, inner, left)
    x = b.join("concatenate", x, b.inputs[1], b.dense(b.inputs[1], 9, activation="sigmoid"))
    x = b.activation(x, "softplus")
    return b.finish(
        b.dense(x, 3),
        b.dense(x, 2, activation="tanh"),
        loss="mean_squared_error",
        metrics=["mean_absolute_error"],
    )


def shared():
    b = Builder((12,))
    kernel, bias = b.parameter("kernel", 12, 12), b.parameter("bias", 12)
    x = b.inputs[0]
    for _ in range(3):
        x = b.activation(b.graph.add_node("dense", [x, kernel, bias], {}, (12,)), "softsign")
    gate = b.unary(x, "glu", shape=(6,))
    return b.finish(
        b.activation(b.dense(gate, 4), "sigmoid"),
        loss="binary_crossentropy",
        metrics=["binary_accuracy"],
    )


def frozen():
    b = Builder((10,))
    x = b.dense(b.inputs[0], 20, activation="relu", trainable=False)
    x = b.batchnorm(x, mode="infer", trainable=False)
    x = b.dense(x, 15, activation="leaky_relu", alpha=0.1)
    x = b.activation(b.batchnorm(x, mode="infer"), "relu")
    x = b.unary(b.dense(x, 5), "log_softmax")
    return b.finish(x, loss="mean_absolute_error")


def planes():
    b = Builder((6, 7))
    x = b.dense(b.inputs[0], 11, activation="relu")
    x = b.dropout(b.batchnorm(x), 0.1)
    x = reshape(b, x, (66,))
    y = reshape(b, b.inputs[0], (42,))
    x = b.join("concatenate", x, y)
    return b.finish(b.unary(b.dense(x, 4), "softmax"))


def reshape(b, x, shape):
    return b.graph.add_node("reshape", [x], {"shape": list(shape)}, shape)


def regularized():
    b = Builder((14,))
    x = b.dense(b.inputs[0], 18, activation="elu", alpha=1.0, l2=0.01)
    x = b.dense(x, 5, l1=0.002, l2=0.003)
    return b.finish(x, from_logits=True, metrics=["sparse_categorical_accuracy"])


def always_dropping():
    b = Builder((8,))
    x = b.dropout(b.inputs[0], 0.5, mode="train")
    x = b.dropout(b.dense(x, 30, activation="relu"), 0.5, mode="train")
    return b.finish(b.dense(x, 3), loss="mean_squared_error")


GRAPHS = {
    f.__name__: f
    for f in (mlp, normalized, residual, shared, frozen, planes, regularized, always_dropping)
}


def make_data(graph, rows, seed=1):
    """Random inputs, and targets of the form that each loss reads."""
    rng = np.random.default_rng(seed)
    shapes = [t.shape for t in graph.tensors if t.kind == "input"]
    inputs = [rng.standard_normal((rows, *shape)).astype(np.float32) for shape in shapes]
    targets = []
    for loss in graph.losses:
        shape = graph.tensors[loss.prediction].shape
        if loss.kind.startswith("sparse"):
            targets.append(rng.integers(0, shape[-1], rows))
        elif loss.kind.startswith("categorical"):
            targets.append(np.eye(shape[-1])[rng.integers(0, shape[-1], rows)])
        elif loss.kind.startswith("binary"):
            targets.append(rng.integers(0, 2, (rows, *shape)))
        else:
            targets.append(rng.standard_normal((rows, *shape)))
    weights = [None] * len(targets)
    weights[0] = rng.uniform(0.5, 1.5, rows).astype(np.float32)
    return inputs, targets, weights
