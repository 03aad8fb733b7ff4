"""What a layer expects of its inputs."""

from __future__ import annotations

from typing import Any

from dnnfast import dtypes, tree
from dnnfast.checks import partial_shape


class InputSpec:
    """What a layer expects of an input; set as ``self.input_spec`` it is checked at every call.

    Args:
        dtype: element type, or None for any, as below.
        shape: full shape, with None for sizes that may be anything.
        ndim: number of axes.
        max_ndim: largest number of axes.
        min_ndim: smallest number of axes.
        axes: dictionary of axes and their sizes; None for any.
        allow_last_axis_squeeze: whether a last axis of size 1 may be there or not. Default False.
        name: key of the input, where inputs come as a dict.
        optional: whether the input may be None. Default False.

    Raises:
        TypeError: if ``axes`` is no dictionary with integer keys.
        ValueError: if an axis is beyond the number of axes, or a shape or type is none.

    Example:
        >>> import dnnfast
        >>> dnnfast.InputSpec(min_ndim=2, axes={-1: 8})
        InputSpec(min_ndim=2, axes={-1: 8})
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype = None if dtype is None else dtypes.standardize_dtype(dtype)
        self.shape = None if shape is None else partial_shape("InputSpec", shape)
        self.ndim = ndim if self.shape is None else len(self.shape)
        self.max_ndim, self.min_ndim = max_ndim, min_ndim
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name, self.optional = name, optional
        try:
            self.axes = {int(axis): size for axis, size in dict(axes or {}).items()}
        except (TypeError, ValueError):
            raise TypeError(
                f"InputSpec: axes must be a dict with integer keys, got {axes!r}."
            ) from None
        limit = self.ndim or self.max_ndim
        if self.axes and limit is not None and max(self.axes) >= limit:
            raise ValueError(
                f"InputSpec: axis {max(self.axes)} is not among the {limit} axes of the input."
            )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        names = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes", "optional")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InputSpec:
        """Create the specification from the result of `get_config`."""
        return cls(**config)

    def __repr__(self) -> str:
        names = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")
        given = [f"{name}={getattr(self, name)}" for name in names if getattr(self, name)]
        return f"InputSpec({', '.join(given)})"

    def problem(self, tensor: Any) -> str | None:
        """Return what is wrong with an input, as "expected ..., got ...", or None."""
        shape = tuple(tensor.shape)
        ndim = len(shape)
        if self.ndim is not None and ndim != self.ndim and not self.allow_last_axis_squeeze:
            return f"expected {self.ndim} axes (ndim={self.ndim}), got shape {shape}"
        if self.max_ndim is not None and ndim > self.max_ndim:
            return f"expected at most {self.max_ndim} axes (max_ndim), got shape {shape}"
        if self.min_ndim is not None and ndim < self.min_ndim:
            return f"expected at least {self.min_ndim} axes (min_ndim), got shape {shape}"
        if self.dtype is not None and dtypes.standardize_dtype(tensor.dtype) != self.dtype:
            return f"expected dtype={self.dtype}, got {tensor.dtype}"
        for axis, size in self.axes.items():
            if size is not None and shape[axis] not in (size, None):
                return f"expected size {size} along axis {axis}, got shape {shape}"
        expected = self.shape or ()
        if self.allow_last_axis_squeeze:
            shape = shape[:-1] if shape[-1:] == (1,) else shape
            expected = expected[:-1] if expected[-1:] == (1,) else expected
        for wanted, size in zip(expected, shape, strict=False):
            if wanted is not None and size is not None and wanted != size:
                return f"expected shape {self.shape}, got {shape}"
        return None


def _in_order(specs: list[Any], inputs: Any, layer: str) -> list[Any]:
    """Inputs in the order of the specifications: those of a dict by name."""
    names = [getattr(spec, "name", None) for spec in specs]
    if not isinstance(inputs, dict) or not all(names):
        return tree.flatten(inputs)
    missing = [name for name in names if name not in inputs]
    if missing:
        raise ValueError(
            f"Layer {layer!r}: the inputs {missing} are missing; expected a dict with the keys "
            f"{names}, got {list(inputs)}."
        )
    return [inputs[name] for name in names]


def check_inputs(input_spec: Any, inputs: Any, layer: str) -> None:
    """Raise unless inputs are as a specification, or a list of them, says.

    Raises:
        ValueError: naming the layer and the input.
    """
    if not input_spec:
        return
    specs = tree.flatten(input_spec)
    found = _in_order(specs, inputs, layer)
    if len(found) != len(specs):
        raise ValueError(f"Layer {layer!r} expects {len(specs)} inputs, got {len(found)}.")
    for i, (spec, tensor) in enumerate(zip(specs, found, strict=True)):
        if spec is None or (tensor is None and spec.optional):
            continue
        if not hasattr(tensor, "shape"):
            raise ValueError(
                f"Layer {layer!r}: input {i} must be a tensor, got {type(tensor).__name__} "
                f"({tensor!r})."
            )
        problem = spec.problem(tensor)
        if problem is not None:
            name = f" ({spec.name!r})" if spec.name else ""
            raise ValueError(f"Layer {layer!r}: input {i}{name} does not fit: {problem}.")
