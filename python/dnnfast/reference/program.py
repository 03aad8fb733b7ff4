"""Runs a graph: values in the order of its nodes, then gradients in the reverse order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dnnfast.reference.activation import activation_backward, activation_forward
from dnnfast.reference.array_nodes import ARRAY_OPS
from dnnfast.reference.batchnorm import (
    batchnorm_backward,
    batchnorm_forward,
    batchnorm_inference,
    batchnorm_inference_backward,
)
from dnnfast.reference.dense import dense_backward, dense_forward
from dnnfast.reference.dropout import dropout_backward, dropout_forward
from dnnfast.reference.merge import (
    add_backward,
    add_forward,
    concatenate_backward,
    concatenate_forward,
    reshape_backward,
    reshape_forward,
)
from dnnfast.reference.softmax import (
    glu_backward,
    glu_forward,
    log_softmax_backward,
    log_softmax_forward,
    softmax_backward,
    softmax_forward,
)

Array = NDArray[np.float64]


def attribute(node: Any, name: str, default: Any) -> Any:
    """Return an attribute of a node; a missing one, or None, means the default.

    Example:

    >>> from dnnfast.graph import Node
    >>> attribute(Node("dropout", "d", [0], {"rate": None}, 1), "rate", 0.0)
    0.0
    """
    value = node.attrs.get(name)
    return default if value is None else value


@dataclass
class Run:
    """One pass over a graph. ``values`` and ``statistics`` (of batch normalizations in training,
    by node number) are filled in by `run_forward`."""

    graph: Any
    training: bool = False
    sampling: bool = False  # dropout drops although the pass predicts
    seed: int = 0
    step: int = 0
    batch: int = 1  # samples
    values: dict[int, Array] = field(default_factory=dict)
    statistics: dict[int, tuple[Array, Array]] = field(default_factory=dict)

    def inputs(self, node: Any) -> list[Array]:
        """Return the values a node reads."""
        return [self.values[i] for i in node.inputs]

    def drops(self, node: Any) -> bool:
        """Tell whether a dropout node drops in this pass."""
        return attribute(node, "rate", 0.0) > 0 and (
            self.training or self.sampling or attribute(node, "mode", "auto") == "train"
        )

    def uses_batch_statistics(self, node: Any) -> bool:
        """Tell whether a batch normalization uses the batch's own statistics in this pass."""
        mode = attribute(node, "mode", "auto")
        return mode == "train" or (mode == "auto" and self.training)

    def bits(self, node: Any) -> dict[str, int]:
        """Return what numbers the random bits of a dropout node."""
        return {"seed": self.seed, "step": self.step, "stream": attribute(node, "stream", 0)}


def _activation_options(node: Any) -> tuple[str, float, float]:
    defaults = {"kind": "linear", "alpha": 0.0, "beta": 0.0}
    kind, alpha, beta = (attribute(node, name, value) for name, value in defaults.items())
    return kind, alpha, beta


def _dense_value(run: Run, node: Any) -> Array:
    x, w, *b = run.inputs(node)
    return dense_forward(x, w, b[0] if b else None)


def _dense_gradients(run: Run, node: Any, dy: Array) -> list[Array]:
    x, w = run.inputs(node)[:2]
    dx, dw, db = dense_backward(x, w, dy, b=len(node.inputs) == 3)
    return [dx, dw] if db is None else [dx, dw, db]


def _activation_gradients(run: Run, node: Any, dy: Array) -> list[Array]:
    return [activation_backward(run.inputs(node)[0], dy, *_activation_options(node))]


def _dropout_value(run: Run, node: Any) -> Array:
    x = run.inputs(node)[0]
    return dropout_forward(x, node.attrs["rate"], **run.bits(node)) if run.drops(node) else x


def _dropout_gradients(run: Run, node: Any, dy: Array) -> list[Array]:
    if not run.drops(node):
        return [dy]
    return [dropout_backward(dy, node.attrs["rate"], **run.bits(node))]


def batchnorm_parameters(node: Any) -> dict[str, int]:
    """Return the tensor ids of a batch normalization's parameters, by name.

    Example:

    >>> from dnnfast.graph import Node
    >>> batchnorm_parameters(Node("batchnorm", "bn", [0, 1, 2, 3], {"scale": False}, 4))
    {'beta': 1, 'moving_mean': 2, 'moving_variance': 3}
    """
    names = ["gamma"] if attribute(node, "scale", True) else []
    names += ["beta"] if attribute(node, "center", True) else []
    return dict(zip([*names, "moving_mean", "moving_variance"], node.inputs[1:], strict=True))


def _batchnorm_value(run: Run, node: Any) -> Array:
    x = run.inputs(node)[0]
    epsilon = attribute(node, "epsilon", 1e-3)
    p = {name: run.values[i] for name, i in batchnorm_parameters(node).items()}
    gamma, beta = p.get("gamma"), p.get("beta")
    if not run.uses_batch_statistics(node):
        return batchnorm_inference(x, gamma, beta, p["moving_mean"], p["moving_variance"], epsilon)
    y, mean, variance = batchnorm_forward(x, gamma, beta, epsilon)
    run.statistics[run.graph.tensors[node.output].index] = (mean, variance)
    return y


def _batchnorm_gradients(run: Run, node: Any, dy: Array) -> list[Array]:
    x = run.inputs(node)[0]
    epsilon = attribute(node, "epsilon", 1e-3)
    p = {name: run.values[i] for name, i in batchnorm_parameters(node).items()}
    if run.uses_batch_statistics(node):
        dx, dgamma, dbeta = batchnorm_backward(x, p.get("gamma"), dy, epsilon)
    else:
        dx, dgamma, dbeta = batchnorm_inference_backward(
            x, p.get("gamma"), dy, p["moving_mean"], p["moving_variance"], epsilon
        )
    gradients = {"gamma": dgamma, "beta": dbeta}
    # Moving statistics are not differentiated.
    return [dx, *(gradients.get(name, np.zeros_like(p[name])) for name in p)]


def _concatenate_gradients(run: Run, node: Any, dy: Array) -> list[Array]:
    return concatenate_backward(dy, [x.shape[-1] for x in run.inputs(node)])


def _reshape_value(run: Run, node: Any) -> Array:
    return reshape_forward(run.inputs(node)[0], run.graph.tensors[node.output].shape)


def _reshape_gradients(run: Run, node: Any, dy: Array) -> list[Array]:
    return [reshape_backward(dy, run.graph.tensors[node.inputs[0]].shape)]


@dataclass(frozen=True)
class Op:
    """``forward(run, node)`` gives the node's value; ``backward(run, node, dy)`` the gradients of
    its inputs, in order; None is zero."""

    forward: Callable[[Run, Any], Array]
    backward: Callable[[Run, Any, Array], Sequence[Array | None]]


# By the names graphs use.
OPS: dict[str, Op] = {
    "dense": Op(_dense_value, _dense_gradients),
    "activation": Op(
        lambda run, node: activation_forward(run.inputs(node)[0], *_activation_options(node)),
        _activation_gradients,
    ),
    "softmax": Op(
        lambda run, node: softmax_forward(run.inputs(node)[0]),
        lambda run, node, dy: [softmax_backward(run.values[node.output], dy)],
    ),
    "log_softmax": Op(
        lambda run, node: log_softmax_forward(run.inputs(node)[0]),
        lambda run, node, dy: [log_softmax_backward(run.values[node.output], dy)],
    ),
    "glu": Op(
        lambda run, node: glu_forward(run.inputs(node)[0]),
        lambda run, node, dy: [glu_backward(run.inputs(node)[0], dy)],
    ),
    "batchnorm": Op(_batchnorm_value, _batchnorm_gradients),
    "dropout": Op(_dropout_value, _dropout_gradients),
    "reshape": Op(_reshape_value, _reshape_gradients),
    "add": Op(
        lambda run, node: add_forward(run.inputs(node)),
        lambda run, node, dy: add_backward(dy, len(node.inputs)),
    ),
    "concatenate": Op(
        lambda run, node: concatenate_forward(run.inputs(node)), _concatenate_gradients
    ),
    **{name: Op(*functions) for name, functions in ARRAY_OPS.items()},
}


def needed_nodes(graph: Any, targets: Iterable[int]) -> list[int]:
    """Return the numbers of the nodes that the target tensors depend on, in order."""
    wanted = set(targets)
    needed = []
    for number in reversed(range(len(graph.nodes))):
        node = graph.nodes[number]
        if node.output in wanted:
            wanted.update(node.inputs)
            needed.append(number)
    return needed[::-1]


def run_forward(run: Run, targets: Iterable[int]) -> None:
    """Compute the values of the target tensors from those of inputs and parameters."""
    for number in needed_nodes(run.graph, targets):
        node = run.graph.nodes[number]
        run.values[node.output] = OPS[node.op].forward(run, node)


def run_backward(run: Run, gradients: dict[int, Array]) -> dict[int, Array]:
    """Return the gradients of all tensors, given those of the tensors that losses read.

    The terms of a tensor that several ops read, or of a parameter that several layers share, are
    added up.
    """
    totals = dict(gradients)
    for node in reversed(run.graph.nodes):
        if node.output not in totals:
            continue
        terms = OPS[node.op].backward(run, node, totals[node.output])
        for id_, term in zip(node.inputs, terms, strict=True):
            if term is not None:
                totals[id_] = totals[id_] + term if id_ in totals else term
    return totals


def resolve(run: Run, id_: int) -> int:
    """Return the tensor that a tensor equals, looking through the ops that change nothing."""
    producers = {node.output: node for node in run.graph.nodes}
    while id_ in producers and _changes_nothing(run, producers[id_]):
        id_ = producers[id_].inputs[0]
    return id_


def _changes_nothing(run: Run, node: Any) -> bool:
    if node.op == "dropout":
        return not run.drops(node)
    if node.op == "activation":
        return attribute(node, "kind", "linear") == "linear"
    if node.op == "reshape":  # the same rows and columns, counted otherwise
        shapes = [run.graph.tensors[id_].shape for id_ in (node.inputs[0], node.output)]
        return shapes[0][-1:] == shapes[1][-1:]
    return node.op in ("add", "concatenate") and len(node.inputs) == 1


def logits_of(run: Run, loss: Any) -> int | None:
    """Return the tensor of logits that a cross-entropy is computed from instead of probabilities.

    That is the input of the softmax (categorical losses) or sigmoid (binary loss) whose output the
    loss reads; None where it reads something else or the loss says ``from_logits``.
    """
    wanted = {
        "sparse_categorical_crossentropy": ("softmax", None),
        "categorical_crossentropy": ("softmax", None),
        "binary_crossentropy": ("activation", "sigmoid"),
    }.get(loss.kind)
    if loss.from_logits or wanted is None:
        return None
    id_ = resolve(run, loss.prediction)
    for node in run.graph.nodes:
        if node.output == id_ and (node.op, attribute(node, "kind", None)) == wanted:
            return node.inputs[0]
    return None
