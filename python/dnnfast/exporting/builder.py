"""An ONNX graph in the making: nodes, constants, and sizes that depend on the batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

# The set of operators that files ask for, and the version of the file's form that came with it.
OPSET, IR_VERSION = 18, 8
Extents = Sequence[int]


class Builder:
    """Collects nodes; the methods return the names of their outputs.

    Args:
        onnx: the module.
    """

    def __init__(self, onnx: Any) -> None:
        self.onnx = onnx
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.scope = ""  # the layer whose nodes are added
        self.batch_source: str | None = None  # an input, whose first axis is the batch
        self._names: set[str] = set()
        self._constants: dict[Any, str] = {}
        self._batch: str | None = None

    def unique(self, name: str) -> str:
        """Return a name that was not used, like the given one."""
        number, found = 0, name
        while found in self._names:
            number += 1
            found = f"{name}_{number}"
        self._names.add(found)
        return found

    def several(self, kind: str, inputs: Sequence[str], count: int, **attributes: Any) -> list[str]:
        """Add a node with several outputs."""
        name = self.unique(f"{self.scope}/{kind}" if self.scope else kind)
        outputs = [name if i == 0 else self.unique(f"{name}:{i}") for i in range(count)]
        node = self.onnx.helper.make_node(kind, list(inputs), outputs, name=name, **attributes)
        self.nodes.append(node)
        return outputs

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node of one output."""
        return self.several(kind, inputs, 1, **attributes)[0]

    def initializer(self, name: str, value: np.ndarray) -> str:
        """Add a named array."""
        name = self.unique(name)
        array = np.asarray(value, order="C")
        self.initializers.append(self.onnx.numpy_helper.from_array(array, name))
        return name

    def constant(self, value: np.ndarray) -> str:
        """Add an array, equal ones once."""
        value = np.asarray(value)
        key = (value.dtype.str, value.shape, value.tobytes())
        if key not in self._constants:
            self._constants[key] = self.initializer("constant", value)
        return self._constants[key]

    def number(self, value: float) -> str:
        """Add a number."""
        with np.errstate(over="ignore"):
            return self.constant(np.asarray(value, np.float32))

    def whole(self, values: Sequence[int] | int) -> str:
        """Add whole numbers: a list, or a single one."""
        return self.constant(np.asarray(values, np.int64))

    def cast(self, x: str, kind: str) -> str:
        """Change the type: ``FLOAT``, ``INT64`` or ``BOOL``."""
        return self.op("Cast", x, to=getattr(self.onnx.TensorProto, kind))

    def batch(self) -> str:
        """Return the size of the batch, a list of one number."""
        if self._batch is None:
            assert self.batch_source is not None
            scope, self.scope = self.scope, ""
            self._batch = self.op("Shape", self.batch_source, start=0, end=1)
            self.scope = scope
        return self._batch

    def sizes(self, extents: Extents) -> str:
        """Return sizes as a list, where -n is n times the batch."""
        if all(size >= 0 for size in extents):
            return self.whole(list(extents))
        parts = []
        for size in extents:
            if size >= 0:
                parts.append(self.whole([size]))
            elif size == -1:
                parts.append(self.batch())
            else:
                parts.append(self.op("Mul", self.batch(), self.whole([-size])))
        return self.op("Concat", *parts, axis=0) if len(parts) > 1 else parts[0]

    def size(self, extent: int) -> str:
        """Return one size that depends on the batch as a number."""
        return self.op("Squeeze", self.sizes([extent]), self.whole([0]))

    def reshape(self, x: str, extents: Extents) -> str:
        """Give other sizes to the same elements."""
        unknown = [size for size in extents if size < 0]
        if len(unknown) == 1 and 0 not in extents:
            sizes = self.whole([size if size >= 0 else -1 for size in extents])
        else:
            sizes = self.sizes(extents)
        return self.op("Reshape", x, sizes, allowzero=1)

    def expand(self, x: str, extents: Extents) -> str:
        """Repeat along axes of size 1."""
        return self.op("Expand", x, self.sizes(extents))

    def unsqueeze(self, x: str, axes: Sequence[int]) -> str:
        """Insert axes of size 1."""
        return self.op("Unsqueeze", x, self.whole(list(axes))) if axes else x

    def transpose(self, x: str, order: Sequence[int]) -> str:
        """Put the axes in another order."""
        if list(order) == list(range(len(order))):
            return x
        return self.op("Transpose", x, perm=list(order))
