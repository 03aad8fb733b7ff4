"""The base class of metrics."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from dnnfast import naming, ops
from dnnfast.configurable import Configurable
from dnnfast.losses.base import array_type, float_type, product_of
from dnnfast.masks import mask_of
from dnnfast.saving import limits
from dnnfast.stateless import StatelessScope
from dnnfast.variable import Variable


class Metric(Configurable):
    """The base class of metrics: variables that batches are added to, and a result of them.

    A subclass creates variables in its constructor with `add_variable`, and defines
    ``update_state(self, y_true, y_pred, sample_weight=None)`` and ``result(self)`` with
    `dnnfast.ops`. In training `update_state` is recorded once and runs in native code.

    Args:
        dtype: what arrays are computed in, a type or a policy; default float32. Models compute
            metrics in float32.
        name: default the snake-case name of the class, numbered.

    Raises:
        ValueError: if the type is not known.

    Example:
        >>> import dnnfast
        >>> class Largest(dnnfast.metrics.Metric):
        ...     def __init__(self, name="largest"):
        ...         super().__init__(name=name)
        ...         self.most = self.add_variable((), "zeros", name="most")
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         error = dnnfast.ops.max(dnnfast.ops.abs(dnnfast.ops.subtract(y_true, y_pred)))
        ...         self.most.assign(dnnfast.ops.maximum(self.most, error))
        ...     def result(self):
        ...         return self.most.value
        >>> metric = Largest()
        >>> metric.update_state([[1.0], [3.0]], [[1.0], [1.0]])
        >>> float(metric.result())
        2.0
    """

    # Whether more is better: "up" or "down"; None where it depends.
    _direction: str | None = None
    # A mean whose function gives no values by sample: its variables hold it.
    _state_forced = False

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self.name = name or naming.auto_name(naming.to_snake_case(type(self).__name__))
        self._dtype = float_type(dtype)
        self._variables: list[Variable] = []

    @property
    def dtype(self) -> str:
        """What arrays are computed in."""
        return self._dtype

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any,
        dtype: Any = None,
        aggregation: str | None = "sum",
        name: str | None = None,
    ) -> Variable:
        """Return a new variable of the metric's state; `reset_state` sets it to zeros.

        Args:
            shape: its shape; ``()`` for a number.
            initializer: its first value: a name, an object, a function.
            dtype: default float32.
            aggregation: accepted; there is one replica.
            name: default numbered.

        Raises:
            RuntimeError: if the class did not call ``super().__init__()``.
        """
        from dnnfast import initializers

        self._check_started()
        limits.take(4 * math.prod(shape), f"the state of metric {self.name!r}")
        first = initializers.get(initializer if initializer is not None else "zeros")
        variable = Variable(
            first, tuple(shape), dtype, trainable=False, aggregation=aggregation, name=name
        )
        variable.path = f"{self.name}/{variable.name}"
        self._variables.append(variable)
        return variable

    def add_weight(
        self,
        shape: Sequence[int] = (),
        initializer: Any = None,
        dtype: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Return a new variable, as `add_variable`; default a number that starts at 0."""
        return self.add_variable(shape, initializer, dtype, name=name)

    def _check_started(self) -> None:
        if "_variables" not in self.__dict__:
            raise RuntimeError(
                f"{type(self).__name__}: call `super().__init__()` at the beginning of `__init__`."
            )

    @property
    def variables(self) -> list[Variable]:
        """The variables of the state, those of metrics inside included."""
        self._check_started()
        found = list(self._variables)
        for part in _parts(self.__dict__):
            inside = part.variables if isinstance(part, Metric) else [part]
            found += [v for v in inside if all(v is not known for known in found)]
        return found

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The variables of the state."""
        return self.variables

    def reset_state(self) -> None:
        """Start again: set the state to zeros."""
        for variable in self.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))

    def reset_states(self) -> None:
        """Start again (the old name)."""
        self.reset_state()

    def update_state(self, *args: Any, **kwargs: Any) -> Any:
        """Add a batch to the state."""
        raise NotImplementedError(f"{type(self).__name__} does not define `update_state`.")

    def result(self) -> Any:
        """Return the metric of what was added since `reset_state`."""
        raise NotImplementedError(f"{type(self).__name__} does not define `result`.")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Add a batch and return the result so far."""
        self._check_started()
        self.update_state(*args, **kwargs)
        return self.result()

    def stateless_update_state(self, metric_variables: Any, *args: Any, **kwargs: Any) -> list[Any]:
        """Return the state after a batch is added to the given one; the metric's own stays.

        Args:
            metric_variables: values for `variables`.
            *args: as of `update_state`.
            **kwargs: as of `update_state`.

        Raises:
            ValueError: if there are not as many values as variables.
        """
        with self._state(metric_variables) as scope:
            self.update_state(*args, **kwargs)
        return [_value_in(scope, variable) for variable in self.variables]

    def stateless_result(self, metric_variables: Any) -> Any:
        """Return the result of a given state.

        Args:
            metric_variables: values for `variables`.

        Raises:
            ValueError: if there are not as many values as variables.
        """
        with self._state(metric_variables):
            return self.result()

    def stateless_reset_state(self) -> list[Any]:
        """Return the state to start from."""
        with StatelessScope() as scope:
            self.reset_state()
        return [_value_in(scope, variable) for variable in self.variables]

    def _state(self, values: Any) -> StatelessScope:
        variables = self.variables
        if len(values) != len(variables):
            raise ValueError(
                f"{type(self).__name__}: expected values for its {len(variables)} variables "
                f"{[v.name for v in variables]}, got {len(values)}."
            )
        return StatelessScope(list(zip(variables, values, strict=True)))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = super().get_config()
        kinds = [p.kind for p in inspect.signature(type(self).__init__).parameters.values()]
        if inspect.Parameter.VAR_KEYWORD in kinds:
            return {"name": self.name, "dtype": self.dtype, **config}
        return config

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def _parts(value: Any) -> Iterator[Any]:
    """Go through the metrics and variables in lists, tuples and dicts."""
    if isinstance(value, (Metric, Variable)):
        yield value
    elif isinstance(value, (dict, list, tuple)):
        for inside in value.values() if isinstance(value, dict) else value:
            yield from _parts(inside)


def _value_in(scope: StatelessScope, variable: Variable) -> Any:
    found = scope.get_current_value(variable)
    return variable.numpy() if found is None else found


def weights_of(y_pred: Any, sample_weight: Any, dtype: str) -> Any:
    """Return sample weights, 0 where the mask of predictions is false; None for 1."""
    weight = None
    if sample_weight is not None:
        weight = ops.convert_to_tensor(sample_weight, array_type(dtype))
    mask = mask_of(y_pred)
    return weight if mask is None else product_of(weight, ops.cast(mask, array_type(dtype)))


__all__ = ["Metric"]
