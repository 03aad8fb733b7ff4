"""The ops of a program's graph as ONNX nodes, as they are when the model predicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dnnfast import graph as ir
from dnnfast.exporting import arrays, functions
from dnnfast.exporting.builder import Builder, Extents
from dnnfast.reference.program import attribute, batchnorm_parameters


class Translation:
    """The nodes of a graph, in the making.

    Args:
        b: where they go.
        graph: the program's.
        weights: the value of each of its parameters.
        model: name of the model, which is left out of the names of its layers.
    """

    def __init__(
        self, b: Builder, graph: ir.Graph, weights: list[np.ndarray], model: str = ""
    ) -> None:
        self.b, self.graph, self.weights, self.model = b, graph, weights, model
        self.names: dict[int, str] = {}

    def extents(self, i: int) -> Extents:
        """Return the sizes of a tensor."""
        return self.graph.tensors[i].extents

    def weight(self, i: int) -> np.ndarray:
        """Return the value of a parameter."""
        return self.weights[self.graph.tensors[i].index]

    def name(self, i: int) -> str:
        """Return the name of a tensor; a parameter is added when it is first read."""
        if i not in self.names:
            tensor = self.graph.tensors[i]
            if tensor.kind != "parameter":
                raise ValueError(f"export: the outputs depend on a {tensor.kind} of the data.")
            path = self.graph.parameters[tensor.index].name
            value = np.asarray(self.weight(i), np.float32)
            self.names[i] = self.b.initializer(path, value)
        return self.names[i]

    def run(self) -> list[str]:
        """Add all nodes that the outputs depend on, and return the names of the outputs."""
        for number in self._needed():
            node = self.graph.nodes[number]
            self.b.scope = node.name.removeprefix(f"{self.model}/")
            if node.op not in OPS:
                raise ValueError(
                    f"export: layer {self.b.scope!r} contains {node.op!r}, which has no ONNX form."
                )
            self.names[node.output] = OPS[node.op](self, node)
        return [self.name(i) for i in self.graph.outputs]

    def _needed(self) -> list[int]:
        """Return the numbers of the nodes that prediction needs, in order."""
        wanted, needed = set(self.graph.outputs), []
        for number in reversed(range(len(self.graph.nodes))):
            node = self.graph.nodes[number]
            if node.output in wanted:
                # Of a choice between training and prediction the second.
                wanted.update(node.inputs[1:] if node.op == "switch" else node.inputs)
                needed.append(number)
        return needed[::-1]


def _dense(t: Translation, node: ir.Node) -> str:
    x, w, *bias = (t.name(i) for i in node.inputs)
    if len(t.extents(node.inputs[0])) == 2:
        return t.b.op("Gemm", x, w, *bias)
    y = t.b.op("MatMul", x, w)
    return t.b.op("Add", y, *bias) if bias else y


def _activation(t: Translation, node: ir.Node) -> str:
    x = node.inputs[0]
    return functions.activation(t.b, t.name(x), t.extents(x), node.attrs)


def _glu(t: Translation, node: ir.Node) -> str:
    half = t.b.whole([t.extents(node.output)[-1]] * 2)
    value, gate = t.b.several("Split", [t.name(node.inputs[0]), half], 2, axis=-1)
    return t.b.op("Mul", value, t.b.op("Sigmoid", gate))


def batchnorm_affine(t: Translation, node: ir.Node) -> tuple[np.ndarray, np.ndarray]:
    """Return factor and offset of a batch normalization that uses its moving statistics.

    Formula: ``a = gamma / sqrt(variance + epsilon)``, ``c = beta - mean * a``.
    """
    p = {name: t.weight(i).astype(np.float64) for name, i in batchnorm_parameters(node).items()}
    epsilon = attribute(node, "epsilon", 1e-3)
    factor = p.get("gamma", 1.0) / np.sqrt(p["moving_variance"] + epsilon)
    return factor, p.get("beta", 0.0) - p["moving_mean"] * factor


def _batchnorm(t: Translation, node: ir.Node) -> str:
    b, x = t.b, t.name(node.inputs[0])
    if attribute(node, "mode", "auto") == "train":
        return _batchnorm_of_batch(t, node, x)
    factor, offset = (value.astype(np.float32) for value in batchnorm_affine(t, node))
    scaled = b.op("Mul", x, b.initializer(f"{b.scope}/factor", factor))
    return b.op("Add", scaled, b.initializer(f"{b.scope}/offset", offset))


def _batchnorm_of_batch(t: Translation, node: ir.Node, x: str) -> str:
    """Add a normalization that was called with ``training=True``: by the batch's statistics."""
    b = t.b
    axes = b.whole(list(range(len(t.extents(node.inputs[0])) - 1)))
    apart = b.op("Sub", x, b.op("ReduceMean", x, axes, keepdims=1))
    variance = b.op("ReduceMean", b.op("Mul", apart, apart), axes, keepdims=1)
    epsilon = b.number(attribute(node, "epsilon", 1e-3))
    y = b.op("Div", apart, b.op("Sqrt", b.op("Add", variance, epsilon)))
    p = batchnorm_parameters(node)
    y = b.op("Mul", y, t.name(p["gamma"])) if "gamma" in p else y
    return b.op("Add", y, t.name(p["beta"])) if "beta" in p else y


def _dropout(t: Translation, node: ir.Node) -> str:
    if attribute(node, "mode", "auto") == "train" and attribute(node, "rate", 0.0) > 0:
        raise ValueError(
            f"export: layer {t.b.scope!r} drops units when it predicts, which a file cannot hold; "
            "use Dropout, and model.predict(x, mc_samples=...) for Monte Carlo predictions."
        )
    return t.name(node.inputs[0])


def _add(t: Translation, node: ir.Node) -> str:
    first, *others = (t.name(i) for i in node.inputs)
    for other in others:
        first = t.b.op("Add", first, other)
    return first


def _map(t: Translation, node: ir.Node) -> str:
    names, shapes = [t.name(i) for i in node.inputs], [t.extents(i) for i in node.inputs]
    e = node.attrs["expression"]
    return functions.function(t.b, e, names, shapes, t.extents(node.output))


def _reduce(t: Translation, node: ir.Node) -> str:
    names, shapes = [t.name(i) for i in node.inputs], [t.extents(i) for i in node.inputs]
    space, after = node.attrs["space"], t.extents(node.output)
    x = functions.function(t.b, node.attrs["expression"], names, shapes, space)
    if not node.attrs["axes"] and node.attrs["kind"] in ("arg_max", "arg_min"):
        return t.b.op("Mul", x, t.b.number(0.0))
    y = arrays.reduction(t.b, node.attrs["kind"], x, space, node.attrs["axes"])
    return t.b.reshape(y, after)


def _gather(t: Translation, node: ir.Node) -> str:
    x, index = node.inputs
    shapes = (t.extents(x), t.extents(index))
    return arrays.gather(t.b, t.name(x), t.name(index), shapes, node.attrs)


def _scatter(t: Translation, node: ir.Node) -> str:
    values, index = node.inputs
    shapes, axis = (t.extents(values), t.extents(index)), node.attrs["axis"]
    size = t.extents(node.output)[axis]
    return arrays.scatter(t.b, t.name(values), t.name(index), shapes, axis, size)


def _of_one(name: str, **attributes: Any) -> Callable[[Translation, ir.Node], str]:
    return lambda t, node: t.b.op(name, t.name(node.inputs[0]), **attributes)


def _joined(t: Translation, node: ir.Node) -> str:
    names = [t.name(i) for i in node.inputs]
    return t.b.op("Concat", *names, axis=node.attrs.get("axis", -1))


def _reshaped(t: Translation, node: ir.Node) -> str:
    return t.b.reshape(t.name(node.inputs[0]), t.extents(node.output))


def _view(t: Translation, node: ir.Node) -> str:
    x = node.inputs[0]
    return arrays.view(t.b, t.name(x), t.extents(x), t.extents(node.output), node.attrs)


# By the names that graphs use.
OPS: dict[str, Callable[[Translation, ir.Node], str]] = {
    "dense": _dense,
    "activation": _activation,
    "softmax": _of_one("Softmax", axis=-1),
    "log_softmax": _of_one("LogSoftmax", axis=-1),
    "glu": _glu,
    "batchnorm": _batchnorm,
    "dropout": _dropout,
    "reshape": _reshaped,
    "add": _add,
    "concatenate": _joined,
    "map": _map,
    "reduce": _reduce,
    "view": _view,
    "regroup": _reshaped,
    "product": lambda t, node: t.b.op("MatMul", *(t.name(i) for i in node.inputs)),
    "gather": _gather,
    "scatter": _scatter,
    "scan": lambda t, node: arrays.scan(
        t.b, t.name(node.inputs[0]), t.extents(node.output), node.attrs
    ),
    "join": _joined,
    "switch": lambda t, node: t.name(node.inputs[1]),
}
