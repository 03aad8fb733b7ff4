"""Records the ops that layers apply to symbolic tensors, and the context of the layer calls."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from dnnfast import engine
from dnnfast.keras_tensor import KerasTensor
from dnnfast.masks import mask_of, set_mask
from dnnfast.variable import Variable


class BranchOnTrainingError(TypeError):
    """Code asks for the value of `training` while it is not decided."""


class _Automatic:
    """The `training` of a traced call: decided when the model runs, not when it is traced."""

    def __bool__(self) -> bool:
        raise BranchOnTrainingError(
            f"{current_layer_name() or 'A layer'}: the value of `training` is not known while a "
            "model is traced: it is traced once for both. (In a layer's `call` it can be tested.)"
        )

    def __repr__(self) -> str:
        return "training=automatic"


AUTOMATIC = _Automatic()


def mode_of(training: Any) -> str:
    """Return the op mode for a `training` argument: "auto", "train" or "infer"."""
    if training is None or training is AUTOMATIC:
        return "auto"
    return "train" if training else "infer"


@dataclass(frozen=True)
class OpRecord:
    """One op application; "identity" stands for its input."""

    op: str
    inputs: tuple[KerasTensor | Variable, ...]
    attrs: dict[str, Any] = field(default_factory=dict)
    name: str = ""


class RandomStream:
    """Marks the random bits of one op; each model numbers its streams from 0."""


@dataclass
class Recorder:
    """What a trace leaves beside its outputs.

    ``time`` is the `graph.Assignment.time` of what is assigned, or "eager" in a call on arrays.
    ``assigned`` holds the values that variables have from then on, by id, each with its variable
    and time; ``losses`` scalars or values by sample that are added to the loss.
    """

    time: str = "train"
    assigned: dict[int, tuple[Variable, KerasTensor | Variable, str]] = field(default_factory=dict)
    losses: list[Any] = field(default_factory=list)
    owners: list[Any] = field(default_factory=list)  # the layers that added the losses


@dataclass
class _Frame:
    layer: Any
    training: Any
    recording: bool = True


class _Stack(threading.local):
    def __init__(self) -> None:
        self.frames: list[_Frame] = []
        self.recorders: list[Recorder] = []


_stack = _Stack()


def depth() -> int:
    """Return how many layer calls are in progress."""
    return len(_stack.frames)


def current_training() -> Any:
    """Return the `training` value that the enclosing layer call hands down."""
    return _stack.frames[-1].training if _stack.frames else AUTOMATIC


def current_layer_name() -> str:
    """Return the path of the layer being called, such as ``model/dense``."""
    return "/".join(layer.name for layer in current_layers())


def current_layers() -> list[Any]:
    """Return the layers that are being called or built, the outermost first."""
    return [frame.layer for frame in _stack.frames if frame.layer is not None]


@contextmanager
def calling(layer: Any, training: Any, recording: bool = True) -> Iterator[None]:
    """Mark a layer call (or, with ``layer=None``, a retrace) as in progress.

    ``recording`` False: functions of variables alone are computed, not recorded (in `build`).
    """
    _stack.frames.append(_Frame(layer, training, recording))
    try:
        yield
    finally:
        _stack.frames.pop()


@contextmanager
def outside() -> Iterator[None]:
    """Leave all layer calls in progress, to record calls of their own (a chain of layers)."""
    frames, _stack.frames = _stack.frames, []
    try:
        yield
    finally:
        _stack.frames = frames


def recording() -> bool:
    """Tell whether functions of variables are recorded: in a layer's call, a loss, a metric."""
    return bool(_stack.frames) and _stack.frames[-1].recording


@contextmanager
def recorder(time: str = "train") -> Iterator[Recorder]:
    """Collect the assignments and losses of what is traced."""
    found = Recorder(time)
    _stack.recorders.append(found)
    try:
        yield found
    finally:
        _stack.recorders.pop()


def current_value(variable: Variable) -> KerasTensor | Variable:
    """Return what a variable holds at this point of the trace."""
    for found in reversed(_stack.recorders):
        if id(variable) in found.assigned:
            return found.assigned[id(variable)][1]
    return variable


def collecting() -> bool:
    """Tell whether assignments are collected: in what is recorded to run with a model."""
    return recording() and bool(_stack.recorders)


def assign(variable: Variable, value: KerasTensor | Variable) -> None:
    """Let a variable take a symbolic value when the model runs.

    Raises:
        ValueError: if the shape differs.
    """
    if tuple(value.shape) != tuple(variable.shape):
        raise ValueError(
            f"Variable {variable.path!r}: cannot assign a tensor of shape {tuple(value.shape)}; "
            f"expected shape {tuple(variable.shape)}."
        )
    if _stack.recorders:
        found = _stack.recorders[-1]
        found.assigned[id(variable)] = (variable, value, found.time)


def add_loss(value: Any) -> None:
    """Add to the loss of the model that is being traced."""
    if _stack.recorders:
        _stack.recorders[-1].losses.append(value)
        _stack.recorders[-1].owners.append(_stack.frames[-1].layer if _stack.frames else None)


def eager() -> bool:
    """Tell whether a call on arrays is being traced."""
    return bool(_stack.recorders) and _stack.recorders[-1].time == "eager"


def keep(found: Recorder) -> None:
    """Pass on what an inner recorder has collected."""
    if _stack.recorders:
        _stack.recorders[-1].assigned.update(found.assigned)
        _stack.recorders[-1].losses.extend(found.losses)
        _stack.recorders[-1].owners.extend(found.owners)


def keep_both(in_training: Recorder, otherwise: Recorder) -> None:
    """Pass on what a layer has left that was recorded for both values of `training`.

    Assignments are those of training; losses count in their own mode.
    """
    from dnnfast import symbolic

    keep(Recorder(assigned=in_training.assigned))
    for loss in in_training.losses:
        value = symbolic.tensor(loss)
        add_loss(symbolic.switch(value, _zero_like(value)))
    for loss in otherwise.losses:
        value = symbolic.tensor(loss)
        add_loss(symbolic.switch(_zero_like(value), value))


def _zero_like(value: Any) -> Any:
    from dnnfast import symbolic

    return symbolic.map_("zeros", lambda x: x * 0.0, [value])


def constant(array: Any) -> Variable:
    """Return an array as an operand of recorded ops."""
    return Variable(array, trainable=False, name="constant")


def emit(
    op: str,
    inputs: Sequence[KerasTensor | Variable],
    attrs: dict[str, Any] | None = None,
) -> KerasTensor:
    """Record an op on symbolic tensors and variables and return its symbolic output.

    Raises:
        ValueError: if the shapes do not fit, naming the layer.
    """
    attrs = attrs or {}
    name = current_layer_name()
    for tensor in inputs:
        if isinstance(tensor, KerasTensor) and not tensor.batched:
            where = f"Layer {name!r}" if name else op
            raise ValueError(
                f"{where}: expected samples along the first axis, got a tensor of shape "
                f"{tensor.shape}."
            )
    shapes = [t.shape if isinstance(t, Variable) else t.sample_shape for t in inputs]
    try:
        shape = engine.infer_shape(op, shapes, attrs)
    except ValueError as error:
        raise ValueError(f"Layer {name!r}: {error}" if name else str(error)) from None
    record = OpRecord(op, tuple(inputs), attrs, name or op)
    first = next(t for t in inputs if isinstance(t, KerasTensor))
    dtype = first.dtype if op == "reshape" else "float32"
    return with_batch_of(inputs, KerasTensor((), dtype, record=record, extents=(-1, *shape)))


def with_batch_of(inputs: Sequence[Any], result: KerasTensor) -> KerasTensor:
    """Return the result of an op, for the batch of its operands."""
    sizes = (t.batch_size for t in inputs if isinstance(t, KerasTensor))
    result.batch_size = next((size for size in sizes if size is not None), None)
    return result


def with_batch(value: Any) -> Any:
    """Return a placeholder that belongs to no model as one whose first axis is the batch."""
    raw = isinstance(value, KerasTensor) and value.record is None and value._keras_history is None
    if not raw or not value.extents or value.extents[0] < 0:
        return value
    tensor = KerasTensor.of_batch(value.shape, value.dtype, value.name)
    mask = mask_of(value)
    if mask is not None:
        set_mask(tensor, with_batch(mask))
    return tensor


def alias(tensor: KerasTensor) -> KerasTensor:
    """Return a new symbolic tensor that stands for the same value."""
    record = OpRecord("identity", (tensor,), {}, current_layer_name() or "identity")
    found = KerasTensor((), tensor.dtype, record=record, extents=tensor.extents)
    return with_batch_of([tensor], found)
