"""A prepared data set: arrays that fit a model, and their checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnfast import tree
from dnnfast.training import targets as tg
from dnnfast.training.arrays import as_array, count_of, is_array
from dnnfast.training.compiled import Resolved
from dnnfast.training.inputs import prepare_inputs
from dnnfast.training.sources import gives_batches


@dataclass
class Data:
    """Arrays in the form that engines read."""

    inputs: list[np.ndarray]
    targets: list[np.ndarray]
    weights: list[np.ndarray | None]
    rows: int
    resolved: Resolved

    def bound_to(self, program: Any) -> Any:
        """Return the engine's view of the arrays."""
        return program.dataset(self.inputs, self.targets, self.weights)


@dataclass
class Given:
    """What the user passed."""

    x: Any
    y: Any = None
    sample_weight: Any = None
    class_weight: Any = None

    def only_x(self) -> None:
        """Raise ValueError if there are targets or weights beside data that brings its own."""
        for name in ("y", "sample_weight"):
            if getattr(self, name) is not None:
                raise ValueError(
                    f"x is a {type(self.x).__name__}, which gives whole batches: {name} must be "
                    f"part of them, as in (x, y) or (x, y, sample_weight), and not be passed."
                )


def unpack(value: Any, what: str) -> Given:
    """Return the parts of ``(x, y)`` or ``(x, y, sample_weight)``; data that gives batches is x."""
    if gives_batches(value):
        return Given(value)
    if not isinstance(value, (tuple, list)) or len(value) not in (2, 3):
        raise ValueError(
            f"{what} must be (x, y), (x, y, sample_weight) or give batches, got "
            f"{type(value).__name__}"
            + (f" of {len(value)}." if isinstance(value, (tuple, list)) else ".")
        )
    return Given(*value)


def prepare(model: Any, given: Given, prefix: str = "", resolved: Resolved | None = None) -> Data:
    """Return checked arrays for a compiled model, building the model if needed.

    Args:
        model: the model.
        given: what the user passed.
        prefix: stands before "x" and "y" in messages.
        resolved: losses and metrics, if they are settled already.

    Raises:
        ValueError: if shapes, labels or numbers of samples do not fit.
        TypeError: if data is not numeric.
    """
    inputs = prepare_inputs(model, given.x)
    outputs = model._outputs()
    names = outputs.names
    parts = tg.split_by_output(given.y, names, prefix + "y", model._structure_of_outputs())
    split = [
        None if y is None else as_array(y, _name(prefix + "y", i, names))
        for i, y in enumerate(parts)
    ]
    if resolved is None:
        weighted = given.sample_weight is not None or given.class_weight is not None
        shapes = [None if y is None else y.shape for y in split]
        resolved = model._spec.resolve(outputs, shapes, weighted)
        missing = {i for i in resolved.targets if split[i] is None}
        if missing and len(missing) < len(resolved.targets):
            resolved = resolved.without(missing, names)
    arrays, labels = list(inputs), [_name(prefix + "x", i, inputs) for i in range(len(inputs))]
    targets = []
    for expected, i in zip(resolved.expected, resolved.targets, strict=True):
        what = _name(prefix + "y", i, names)
        targets.append(tg.prepare_target(split[i], expected, what))
        arrays.append(targets[-1])
        labels.append(what)
    rows = count_of(arrays, labels)
    weights = _weights(given, targets, rows, model, resolved.targets)
    if resolved.weighted:
        weights = [np.ones(rows, np.float32) if w is None else w for w in weights]
    return Data(inputs, targets, weights, rows, resolved)


def _name(what: str, i: int, items: Any) -> str:
    return what if len(items) == 1 else f"{what}[{i}]"


def _weights(
    given: Given, targets: list[np.ndarray], rows: int, model: Any, outputs: list[int]
) -> list[np.ndarray | None]:
    if given.sample_weight is None and given.class_weight is None:
        return [None] * len(targets)
    sample, names = given.sample_weight, model.output_names
    if isinstance(sample, (list, tuple, dict)) and len(names) > 1:
        structure = model._structure_of_outputs()
        parts = tg.split_by_output(sample, names, "sample_weight", structure)
        parts = [parts[i] for i in outputs]
    else:
        parts = [sample] * len(targets)
    found = [tg.prepare_weight(part, rows, "sample_weight") for part in parts]
    if given.class_weight is None:
        return found
    if len(targets) != 1:
        raise ValueError("class_weight is only for models with one output; use sample_weight.")
    by_class = tg.class_weights(given.class_weight, targets[0], "y")
    return [by_class if found[0] is None else found[0] * by_class]


def arrays_of(value: Any, what: str = "the batch", several: bool = False) -> Any:
    """Return data nested as given, with arrays for leaves.

    Args:
        value: an array or something like one, None, or a list, tuple or dict of such.
        what: its name in messages.
        several: whether a list of plain numbers is a list of arrays (of several outputs).
    """
    if value is None:
        return None
    if isinstance(value, dict):
        return {key: arrays_of(item, f"{what}[{key!r}]") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        inside = (dict, list, tuple) if several else dict
        if any(is_array(v) or v is None or isinstance(v, inside) for v in value):
            items = [arrays_of(item, f"{what}[{i}]") for i, item in enumerate(value)]
            return tuple(items) if isinstance(value, tuple) else items
    return as_array(value, what)


def structured(model: Any, given: Given) -> tuple[tuple[Any, Any, Any], int]:
    """Return x, y and sample weights as arrays, nested as given, and the number of samples.

    Raises:
        ValueError: if their numbers of samples differ.
        TypeError: if they are not numeric.
    """
    inputs = model._input_tensors()
    several = len(model.output_names) > 1
    parts = (
        arrays_of(given.x, "x", inputs is not None and len(inputs) > 1),
        arrays_of(given.y, "y", several),
        arrays_of(given.sample_weight, "sample_weight", several),
    )
    leaves = [leaf for leaf in tree.flatten(parts) if leaf is not None]
    rows = count_of(leaves, ["x", *["y or sample_weight"] * (len(leaves) - 1)])
    return parts, rows


def split_tail(model: Any, given: Given, share: float) -> tuple[Given, Given]:
    """Split off the last samples for validation.

    Raises:
        ValueError: if a part would be empty, or the data gives batches.
    """
    if isinstance(share, bool) or not 0 < share < 1:
        raise ValueError(f"validation_split must be in (0, 1), got {share!r}.")
    if gives_batches(given.x):
        raise ValueError(
            f"validation_split needs arrays, but x is a {type(given.x).__name__}, which gives "
            "batches; pass validation_data."
        )
    parts, rows = structured(model, given)
    at = int(rows * (1.0 - share))
    if at == 0 or at == rows:
        raise ValueError(
            f"validation_split={share} leaves no samples for one part: x has {rows} samples."
        )

    def cut(part: slice) -> Given:
        def one(leaf: Any) -> Any:
            return None if leaf is None else leaf[part]

        return Given(*(tree.map_structure(one, value) for value in parts))

    head, tail = cut(slice(None, at)), cut(slice(at, None))
    head.class_weight = given.class_weight
    return head, tail
