"""A model as an ONNX file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from dnnfast import tree
from dnnfast.exporting.builder import IR_VERSION, OPSET, Builder
from dnnfast.exporting.nodes import Translation
from dnnfast.version import __version__

_TYPES = {
    "float16": "FLOAT16",
    "float64": "DOUBLE",
    "int8": "INT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "uint8": "UINT8",
    "uint16": "UINT16",
    "uint32": "UINT32",
    "uint64": "UINT64",
    "bool": "BOOL",
}
# A file is one message of protocol buffers, which cannot be larger.
_MOST_BYTES = 2**31 - 2**20


def need_onnx() -> Any:
    """Return the module.

    Raises:
        ImportError: if it is missing, naming what to install.
    """
    try:
        import onnx
        import onnx.checker
        import onnx.helper
        import onnx.numpy_helper
    except ImportError as error:
        raise ImportError(
            "export needs onnx: pip install 'dnnfast[onnx]' (or pip install onnx)."
        ) from error
    return onnx


def to_onnx(model: Any) -> Any:
    """Return a built model as an ``onnx.ModelProto``.

    Raises:
        ImportError: if onnx is missing.
        ValueError: if the model is not built, is too large, or a layer has no ONNX form.
    """
    onnx = need_onnx()
    lowered = model._lower()
    graph, weights = lowered.graph, [variable.numpy() for variable in lowered.variables]
    if sum(weight.size for weight in weights) * 4 > _MOST_BYTES:
        raise ValueError(f"export: model {model.name!r} has more weights than a file can hold.")
    b = Builder(onnx)
    translation = Translation(b, graph, weights, model.name)
    helper, kinds = onnx.helper, onnx.TensorProto
    inputs = []
    given = tree.flatten(lowered.input_structure)
    for i, tensor in enumerate(graph.tensors):
        if tensor.kind != "input":
            continue
        name = b.unique(graph.inputs[tensor.index])
        kind = _TYPES.get(given[tensor.index].dtype, "FLOAT")
        shape = ["batch", *tensor.shape]
        inputs.append(helper.make_tensor_value_info(name, getattr(kinds, kind), shape))
        b.batch_source = b.batch_source or name
        translation.names[i] = name if kind == "FLOAT" else b.cast(name, "FLOAT")
    outputs = []
    names = [b.unique(name) for name in model._outputs().names]
    for name, found, i in zip(names, translation.run(), graph.outputs, strict=True):
        b.nodes.append(helper.make_node("Identity", [found], [name], name=name))
        shape = ["batch", *graph.tensors[i].shape]
        outputs.append(helper.make_tensor_value_info(name, kinds.FLOAT, shape))
    made = helper.make_graph(b.nodes, model.name, inputs, outputs, b.initializers)
    proto = helper.make_model(
        made,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="dnnfast",
        producer_version=__version__,
    )
    onnx.checker.check_model(proto, full_check=True)
    return proto


def export(model: Any, filepath: Any, format: str, fold: bool) -> Path:
    """Write a model as a file; see `Model.export`."""
    if format != "onnx":
        raise ValueError(f'export: format must be "onnx", got {format!r}.')
    need_onnx()
    if not model.built:
        raise ValueError(
            f"export: model {model.name!r} is not built; give it an Input, or call it on data."
        )
    if fold:
        model = model.fold_batch_normalization()
    data = to_onnx(model).SerializeToString()
    path = Path(os.fspath(filepath))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
