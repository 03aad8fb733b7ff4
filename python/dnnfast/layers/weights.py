"""The variables and sublayers of a layer."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from dnnfast import checks, tracing, tree
from dnnfast.layers.copying import Copying
from dnnfast.name_scopes import current_path
from dnnfast.ops.values import checked_dtype
from dnnfast.random import SeedGenerator
from dnnfast.saving import limits
from dnnfast.saving.own_variables import OwnVariables
from dnnfast.variable import Variable


def unique(items: Iterable[Any]) -> list[Any]:
    """Drop repetitions (by identity) and keep the order."""
    seen: set[int] = set()
    found = []
    for item in items:
        if id(item) not in seen:
            seen.add(id(item))
            found.append(item)
    return found


def _numbers(layer: str, variable: Variable, value: Any) -> np.ndarray:
    try:
        return np.asarray(value, dtype=variable.dtype)
    except (TypeError, ValueError):
        raise ValueError(
            f"set_weights of {layer!r}: the value for {variable.path!r} is no array of numbers "
            f"({type(value).__name__})."
        ) from None


def _check_memory(layer: str, shape: tuple[int, ...], name: str) -> None:
    """Refuse a weight that this machine cannot hold, before the machine runs out of memory."""
    needed = 4 * math.prod(shape)
    limits.take(needed, f"the weight {name!r} of layer {layer!r}")
    try:
        present = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not on every system
        present = 1 << 46
    if needed > present:
        raise MemoryError(
            f"Layer {layer!r}: the weight {name!r} of shape {shape} takes {needed / 1e9:,.0f} GB; "
            f"this machine has {present / 1e9:,.0f} GB. Make the layer, or its input, smaller."
        )


class WeightsMixin(OwnVariables, Copying):
    """Everything about weights that layers and models share."""

    name: str
    built: bool
    _trainable: bool
    _variables: list[Variable]

    def add_weight(
        self,
        *args: Any,
        shape: Sequence[int] | int | None = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: Any = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """Create a variable of the layer.

        Args:
            *args: shape, initializer and dtype may be given by position.
            shape: a tuple of known sizes. Default (), a single number.
            initializer: a name, an object, a callable of ``(shape, dtype)`` or an array. Default
                ``"glorot_uniform"``, and ``"zeros"`` for integers and truth values.
            dtype: default that of the layer's weights, float32. Weights that are trained are
                float32.
            trainable: whether training updates it. Default True.
            autocast: accepted; values are used as they are.
            regularizer: a penalty on the value (`dnnfast.regularizers`), or None.
            constraint: what maps a new value to an allowed one (`dnnfast.constraints`), or None.
            aggregation: accepted, one of ``"none"``, ``"mean"``, ``"sum"``,
                ``"only_first_replica"``.
            overwrite_with_gradient: kept as an attribute of the variable. Default False.
            name: default ``"variable"``, numbered.

        Raises:
            ValueError: if an argument is out of range, or the name stands in place of the shape.
            MemoryError: if the weight is larger than this machine's memory.

        Example:
            >>> import dnnfast
            >>> layer = dnnfast.layers.Layer(name="mine")
            >>> layer.add_weight((2, 3), "ones", name="w").path
            'mine/w'
        """
        from dnnfast import constraints, initializers, regularizers

        if len(args) > 3:
            raise TypeError(
                f"Layer {self.name!r}: add_weight takes at most shape, initializer and dtype by "
                f"position, got {len(args)} arguments."
            )
        named = next((x for x in (*args[:1], shape) if isinstance(x, str)), None)
        if named is not None:
            raise ValueError(
                f"Layer {self.name!r}: add_weight takes the shape first; write "
                f"add_weight(shape=..., name={named!r})."
            )
        given = {"shape": shape, "initializer": initializer, "dtype": dtype}
        for key, value in zip(given, args, strict=False):
            if given[key] is not None:
                raise ValueError(f"Layer {self.name!r}: add_weight got {key} twice.")
            given[key] = value
        shape, initializer, dtype = given.values()
        if isinstance(shape, (int, np.integer)):
            shape = (int(shape),)
        sizes = tuple(shape or ())
        if any(size is None for size in sizes):
            raise ValueError(f"Layer {self.name!r}: a weight's shape must be known, got {sizes}.")
        sizes = checks.known_shape(f"Layer {self.name!r}: add_weight", sizes)
        _check_memory(self.name, sizes, name or "variable")
        kind = "float32" if dtype is None else checked_dtype(dtype)
        if initializer is None:
            initializer = "glorot_uniform" if "float" in kind else "zeros"
        variable = Variable(
            initializers.get(initializer),
            sizes,
            dtype=kind,
            trainable=trainable,
            autocast=autocast,
            aggregation=aggregation,
            name=name,
        )
        # The scopes around it count, then the layers that are being built or called.
        around = tracing.current_layers()
        names = [layer.name for layer in around if layer is not self]
        variable.path = "/".join(filter(None, (current_path(), *names, self.name, variable.name)))
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraints.get(constraint)
        variable.overwrite_with_gradient = overwrite_with_gradient
        self._variables.append(variable)
        return variable

    # Sublayers are found among the attributes, so that no bookkeeping can go stale.

    def _sublayers(self) -> list[Any]:
        return unique(self._attributes_of(WeightsMixin))

    def _attributes_of(self, cls: type) -> Iterator[Any]:
        for key, value in self.__dict__.items():
            if key in _NOT_SEARCHED:
                continue
            if isinstance(value, cls):
                yield value
            elif isinstance(value, (list, tuple, dict)) and value:
                yield from (leaf for leaf in tree.flatten(value) if isinstance(leaf, cls))

    def _own_variables(self) -> list[Variable]:
        found = unique([*self._variables, *self._attributes_of(Variable)])
        return [v for v in found if v.trainable] + [v for v in found if not v.trainable]

    def _all_layers(self) -> list[Any]:
        """Return this layer and all nested ones, each once, depth first."""
        seen: set[int] = set()
        found: list[Any] = []

        def visit(layer: Any) -> None:
            if id(layer) in seen:
                return
            seen.add(id(layer))
            found.append(layer)
            for inner in layer._sublayers():
                visit(inner)

        visit(self)
        return found

    @property
    def weights(self) -> list[Variable]:
        """All variables: each layer's own, trainable first, in the order of the layers."""
        return unique(v for layer in self._all_layers() for v in layer._own_variables())

    @property
    def variables(self) -> list[Variable]:
        """All of `weights`, and the states of seed generators."""
        return unique(
            v
            for layer in self._all_layers()
            for v in (
                *layer._own_variables(),
                *(seeds.state for seeds in layer._attributes_of(SeedGenerator)),
            )
        )

    def _collect_trainable(self, seen: set[int]) -> Iterator[Variable]:
        if id(self) in seen or not self._trainable:
            return
        seen.add(id(self))
        yield from (v for v in self._own_variables() if v.trainable)
        for layer in self._sublayers():
            yield from layer._collect_trainable(seen)

    @property
    def trainable_weights(self) -> list[Variable]:
        """The variables that training updates."""
        return unique(self._collect_trainable(set()))

    trainable_variables = trainable_weights

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The variables that training leaves alone: frozen ones and moving statistics."""
        trainable = {id(v) for v in self.trainable_weights}
        return [v for v in self.weights if id(v) not in trainable]

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """All of `variables` that training does not update."""
        trainable = {id(v) for v in self.trainable_weights}
        return [v for v in self.variables if id(v) not in trainable]

    @property
    def trainable(self) -> bool:
        """Whether training updates the weights; setting it sets all nested layers.

        On a compiled model the change takes effect at the next ``compile``.
        """
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self._all_layers():
            layer._trainable = bool(value)

    # Values.

    def get_weights(self) -> list[np.ndarray]:
        """Return copies of the values of `weights`."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set the values of `weights`.

        Args:
            weights: arrays, in the order of `weights`.

        Raises:
            ValueError: if number or shapes differ; nothing is changed then.
            TypeError: if it is no list of arrays.
        """
        variables = self.weights
        if isinstance(weights, (str, bytes)) or not hasattr(weights, "__len__"):
            raise TypeError(
                f"set_weights of {self.name!r}: expected a list of {len(variables)} arrays, got "
                f"{type(weights).__name__}."
            )
        if len(weights) != len(variables):
            hint = "" if self.built else " It is not built yet: call it or its `build` first."
            raise ValueError(
                f"set_weights of {self.name!r}: got {len(weights)} arrays, expected "
                f"{len(variables)}.{hint}"
            )
        arrays = [_numbers(self.name, v, w) for v, w in zip(variables, weights, strict=True)]
        for variable, array in zip(variables, arrays, strict=True):
            if array.shape != variable.shape:
                raise ValueError(
                    f"set_weights of {self.name!r}: {variable.path!r} has shape {variable.shape}, "
                    f"got an array of shape {array.shape}."
                )
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)

    def count_params(self) -> int:
        """Return the number of scalars in `weights`.

        Raises:
            ValueError: if the layer is not built.
        """
        if not self.built:
            raise ValueError(
                f"count_params: {self.name!r} is not built yet, so its weights do not exist. Call "
                "it on data or give an input shape first."
            )
        return sum(v.size for v in self.weights)


_NOT_SEARCHED = {
    "_variables",
    "_inbound_nodes",
    "_init_arguments",
    "_initial_weights",
    "_build_shapes",
}
