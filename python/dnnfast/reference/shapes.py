"""Shape inference of the graph's ops. The batch axis is implied: shapes are those of a sample."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dnnfast.errors import unknown_name
from dnnfast.reference.activation import activation_table
from dnnfast.reference.array_nodes import ARRAY_OPS
from dnnfast.reference.loss import LossKind, check_label_smoothing, loss_table
from dnnfast.reference.metric import MetricKind, metric_table
from dnnfast.reference.optimizer_state import check_options

Shape = tuple[int, ...]
_MAX_ADD_INPUTS = 16
_MAX_AXES = 6  # of what array ops read and make


def _need_inputs(op: str, shapes: Sequence[Shape], least: int, most: int | None = None) -> None:
    most = least if most is None else most
    if not least <= len(shapes) <= most:
        expected = str(least) if least == most else f"from {least} to {most}"
        raise ValueError(f"{op}: got {len(shapes)} inputs; expected {expected}")


def _need_axis(op: str, shape: Shape) -> None:
    if not shape:
        raise ValueError(
            f"{op}: the input has only the batch axis; it needs at least one more, so give "
            "Input(shape=(n,)) or add a Reshape"
        )


def _need_vector(op: str, what: str, shape: Shape, size: int) -> None:
    if shape != (size,):
        raise ValueError(f"{op}: {what} has shape {shape}; expected ({size},)")


def _dense(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    _need_inputs("dense", shapes, 2, 3)
    x, w = shapes[:2]
    _need_axis("dense", x)
    if len(w) != 2 or w[0] != x[-1]:
        raise ValueError(
            f"dense: the kernel has shape {w} but the input's last axis is {x[-1]}; expected "
            f"({x[-1]}, units)"
        )
    if len(shapes) == 3:
        _need_vector("dense", "the bias", shapes[2], w[1])
    return (*x[:-1], w[1])


def _activation(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    _need_inputs("activation", shapes, 1)
    activation_table(attrs.get("kind", "linear"))
    return shapes[0]


def _softmax(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    _need_inputs("softmax", shapes, 1)
    _need_axis("softmax", shapes[0])
    return shapes[0]


def _glu(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    _need_inputs("glu", shapes, 1)
    x = shapes[0]
    _need_axis("glu", x)
    if x[-1] % 2:
        raise ValueError(f"glu: the last axis has {x[-1]} elements; it must be even")
    return (*x[:-1], x[-1] // 2)


def _batchnorm(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    _need_inputs(
        "batchnorm", shapes, 3 + bool(attrs.get("scale", True)) + bool(attrs.get("center", True))
    )
    x = shapes[0]
    _need_axis("batchnorm", x)
    for shape in shapes[1:]:
        _need_vector("batchnorm", "a parameter", shape, x[-1])
    mode = attrs.get("mode", "auto")
    if mode not in ("auto", "train", "infer"):
        raise unknown_name("batchnorm mode", mode, ["auto", "train", "infer"])
    return x


def _dropout(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    _need_inputs("dropout", shapes, 1)
    rate = attrs.get("rate", 0.0)
    if not 0 <= rate < 1:
        raise ValueError(f"dropout: rate must be in [0, 1); got {rate}")
    mode = attrs.get("mode", "auto")
    if mode not in ("auto", "train"):
        raise unknown_name("dropout mode", mode, ["auto", "train"])
    return shapes[0]


def _reshape(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    _need_inputs("reshape", shapes, 1)
    if "shape" not in attrs:
        raise ValueError('reshape: the attribute "shape" is missing; expected a list of integers')
    target = tuple(int(size) for size in attrs["shape"])
    if any(size < 1 and size != -1 for size in target):
        raise ValueError(
            f"reshape: target shape {target} has a size below 1; use -1 for one inferred size"
        )
    total = math.prod(shapes[0])
    known = math.prod(size for size in target if size != -1)
    unknown = target.count(-1)
    if unknown > 1 or total % known or (unknown == 0 and known != total):
        raise ValueError(
            f"reshape: {total} elements of shape {shapes[0]} do not fit the target shape {target}"
        )
    return tuple(total // known if size == -1 else size for size in target)


def _add(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    _need_inputs("add", shapes, 1, _MAX_ADD_INPUTS)
    for shape in shapes:
        if shape != shapes[0]:
            raise ValueError(f"add: inputs have shapes {shapes[0]} and {shape}; they must be equal")
    return shapes[0]


def _concatenate(shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    _need_inputs("concatenate", shapes, 1, 1 << 20)
    first = shapes[0]
    _need_axis("concatenate", first)
    for shape in shapes[1:]:
        if len(shape) != len(first) or shape[:-1] != first[:-1]:
            raise ValueError(
                f"concatenate: inputs have shapes {first} and {shape}; they must agree in all but "
                "the last axis"
            )
    return (*first[:-1], sum(shape[-1] for shape in shapes))


SHAPE_RULES: dict[str, Callable[[Sequence[Shape], Mapping[str, Any]], Shape]] = {
    "dense": _dense,
    "activation": _activation,
    "softmax": _softmax,
    "log_softmax": _softmax,
    "glu": _glu,
    "batchnorm": _batchnorm,
    "dropout": _dropout,
    "reshape": _reshape,
    "add": _add,
    "concatenate": _concatenate,
}


def infer_shape(
    op: str, shapes: Sequence[Sequence[int]], attrs: Mapping[str, Any] | None = None
) -> Shape:
    """Return the sample shape of an op's output.

    Args:
        op: name of a graph op.
        shapes: of its inputs in order, parameters included, without the batch axis.
        attrs: its attributes; a None among them means the default.

    Raises:
        ValueError: if the op is unknown, or naming what does not fit.

    Example:

    >>> infer_shape("dense", [(3,), (3, 5), (5,)], {})
    (5,)
    """
    if op not in SHAPE_RULES:
        raise unknown_name("op", op, SHAPE_RULES)
    given = {name: value for name, value in (attrs or {}).items() if value is not None}
    return SHAPE_RULES[op]([tuple(int(n) for n in shape) for shape in shapes], given)


def validate_graph(graph: Any) -> None:
    """Check every id, order, shape and name of a graph.

    Args:
        graph: a `dnnfast.graph.Graph`.

    Raises:
        ValueError: naming the op, loss, metric or optimizer, and what does not fit.

    Example:

    >>> from dnnfast.graph import Graph
    >>> validate_graph(Graph())
    """
    for tensor in graph.tensors:
        # Without a batch axis in front, -n is n times the batch.
        if any(size == 0 or (size < 0 and tensor.batched) for size in tensor.shape):
            raise ValueError(
                f"a tensor has shape {tuple(tensor.shape)}; every size must be at least 1"
            )
    _check_nodes(graph)
    for id_ in graph.outputs:
        _check_tensor(graph, id_, "output")
        _need_batch(graph.tensors[id_], "an output")
    for loss in graph.losses:
        _check_reader(graph, "loss", loss, loss_table(loss.kind))
        check_label_smoothing(loss.kind, loss.label_smoothing)
        shape = graph.tensors[loss.prediction].shape
        if loss_table(loss.kind).labels and math.prod(shape[:-1]) != 1:
            raise ValueError(
                f"{loss.kind}: predictions of shape {tuple(shape)} have more than one row a "
                "sample; flatten the model's output"
            )
    for metric in graph.metrics:
        _check_reader(graph, "metric", metric, metric_table(metric.kind))
    for assignment in graph.assignments:
        _check_assignment(graph, assignment)
    for optimizer in graph.optimizers:
        check_options(optimizer.kind, optimizer.options)
    if graph.optimizers and not graph.losses and (graph.nodes or not graph.parameters):
        raise ValueError("a graph with an optimizer needs at least one loss")


def _check_tensor(graph: Any, id_: int, where: str) -> None:
    if not 0 <= id_ < len(graph.tensors):
        raise ValueError(
            f"{where}: tensor id {id_} does not exist; the graph has {len(graph.tensors)} tensors"
        )


def _need_batch(tensor: Any, what: str) -> None:
    if not tensor.batched or tensor.kind == "parameter":
        raise ValueError(f"{what} has no batch axis in front; got shape {tuple(tensor.shape)}")


def _check_reader(graph: Any, what: str, reader: Any, table: LossKind | MetricKind) -> None:
    _check_tensor(graph, reader.prediction, what)
    _need_batch(graph.tensors[reader.prediction], f"a {what} reads a tensor that")
    if reader.target < (0 if table.compares else -1):
        raise ValueError(f"a {what} has the negative target {reader.target}")
    if table.labels and not graph.tensors[reader.prediction].shape:
        raise ValueError(f"{reader.kind}: the prediction has no axis of classes")


def _check_assignment(graph: Any, assignment: Any) -> None:
    _check_tensor(graph, assignment.parameter, "assignment")
    _check_tensor(graph, assignment.value, "assignment")
    variable, value = graph.tensors[assignment.parameter], graph.tensors[assignment.value]
    if assignment.time not in ("always", "train", "update"):
        raise unknown_name("assignment time", assignment.time, ["always", "train", "update"])
    if variable.kind != "parameter":
        raise ValueError("an assignment needs a variable to write to")
    if value.extents != variable.extents:
        raise ValueError(
            f"an assignment to a variable of shape {variable.extents} has a value of shape "
            f"{value.extents}"
        )


def _check_array(graph: Any, node: Any, where: str) -> None:
    for id_ in (*node.inputs, node.output):
        axes = len(graph.tensors[id_].extents)
        if axes > _MAX_AXES:
            what = "the result" if id_ == node.output else "an input"
            raise ValueError(f"{where}: {what} has {axes} axes; at most {_MAX_AXES} are supported")


def _check_nodes(graph: Any) -> None:
    known = [tensor.kind != "node" for tensor in graph.tensors]
    for node in graph.nodes:
        where = f'{node.op} "{node.name}"'
        for id_ in node.inputs:
            _check_tensor(graph, id_, where)
            if not known[id_]:
                raise ValueError(f"{where}: input {id_} is used before it is computed")
        _check_tensor(graph, node.output, where)
        if node.op in ARRAY_OPS:  # they say themselves what shape they have
            _check_array(graph, node, where)
            known[node.output] = True
            continue
        _check_parameter_inputs(graph, node, where)
        shape = infer_shape(node.op, [graph.tensors[i].shape for i in node.inputs], node.attrs)
        declared = tuple(graph.tensors[node.output].shape)
        if shape != declared:
            raise ValueError(
                f"{where}: the graph declares the output shape {declared} but the op gives {shape}"
            )
        known[node.output] = True


def _check_parameter_inputs(graph: Any, node: Any, where: str) -> None:
    """Check that variables stand where an op reads variables, and only there."""
    first = 1 if node.op in ("dense", "batchnorm") else len(node.inputs)
    for position, id_ in enumerate(node.inputs):
        if not graph.tensors[id_].batched:
            raise ValueError(f"{where}: input {position} has no batch axis in front")
        is_parameter = graph.tensors[id_].kind == "parameter"
        if is_parameter != (position >= first):
            found, expected = ("a variable", "values of the batch")
            if not is_parameter:
                found, expected = expected, found
            raise ValueError(f"{where}: input {position} is {found}; expected {expected}")
