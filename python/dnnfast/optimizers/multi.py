"""Several optimizers for one model, each for variables of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping, Sequence
from typing import Any

import numpy as np

from dnnfast import graph
from dnnfast.configurable import Configurable
from dnnfast.optimizers.loss_scale import LossScaleOptimizer
from dnnfast.optimizers.optimizer import Optimizer
from dnnfast.optimizers.state import constant
from dnnfast.saving.objects import deserialize_keras_object, serialize_keras_object

MOST_OPTIMIZERS = 8  # csrc/ops/context.h


def _check(optimizer: Any) -> Any:
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"MultiOptimizer: expected an optimizer, got {optimizer!r}.")
    if isinstance(optimizer, (LossScaleOptimizer, MultiOptimizer)):
        raise ValueError(
            f"MultiOptimizer: {type(optimizer).__name__} cannot be one of several optimizers; it "
            "can only be around them."
        )
    return optimizer


class OptimizerMap(Configurable, MutableMapping):
    """Which optimizer a variable has, by its path.

    Args:
        default_optimizer: for variables that no entry fits.
        optimizer_map: dict of paths, or of regular expressions for whole paths, and optimizers.

    Raises:
        TypeError: if an optimizer is none.
        ValueError: if a key is set twice, or two expressions fit a path.

    Example:
        >>> import dnnfast
        >>> chosen = dnnfast.optimizers.OptimizerMap(dnnfast.optimizers.Adam(name="adam"))
        >>> chosen["encoder/.*"] = dnnfast.optimizers.SGD(name="sgd")
        >>> chosen["encoder/kernel"].name, chosen["decoder/kernel"].name
        ('sgd', 'adam')
    """

    def __init__(self, default_optimizer: Any, optimizer_map: dict[str, Any] | None = None) -> None:
        self.default_optimizer = _check(default_optimizer)
        self.optimizer_map: dict[str, Any] = {}
        for key, optimizer in (optimizer_map or {}).items():
            self[key] = optimizer

    def __getitem__(self, key: str) -> Any:
        if key in self.optimizer_map:
            return self.optimizer_map[key]
        fitting = [pattern for pattern in self.optimizer_map if re.fullmatch(pattern, key)]
        if len(fitting) > 1:
            raise ValueError(f"OptimizerMap: {fitting} all fit the variable {key!r}.")
        return self.optimizer_map[fitting[0]] if fitting else self.default_optimizer

    def __setitem__(self, key: str, optimizer: Any) -> None:
        if not isinstance(key, str):
            raise ValueError(f"OptimizerMap: a key must be a string, got {key!r}.")
        if key in self.optimizer_map:
            raise ValueError(f"OptimizerMap: {key!r} is set already.")
        self.optimizer_map[key] = _check(optimizer)

    def __delitem__(self, key: str) -> None:
        del self.optimizer_map[key]

    def __len__(self) -> int:
        return len(self.optimizer_map)

    def __iter__(self) -> Iterator[str]:
        return iter(self.optimizer_map)

    def __call__(self, variable: Any) -> Any:
        """Return the optimizer of a variable."""
        return self[variable.path]


class MultiOptimizer(Optimizer):
    """Trains variables with different optimizers; at most 8 of them.

    Args:
        optimizer_map: an `OptimizerMap`, or a function of a variable that returns its optimizer.
        loss_scale_factor: takes the place of the optimizers' own.
        name: default the class name in small letters, numbered.

    Raises:
        TypeError: if the map or the function gives something else.
        ValueError: if there are too many optimizers.

    Example:
        >>> import dnnfast
        >>> a, b = dnnfast.Variable([1.0], name="a"), dnnfast.Variable([1.0], name="b")
        >>> slow, fast = dnnfast.optimizers.SGD(0.1), dnnfast.optimizers.SGD(0.5)
        >>> both = dnnfast.optimizers.MultiOptimizer(lambda v: fast if v.name == "a" else slow)
        >>> both.apply([[1.0], [1.0]], [a, b])
        >>> a.numpy().tolist(), b.numpy().round(4).tolist()
        ([0.5], [0.8999999761581421])
    """

    kind = "multi"

    def __init__(
        self, optimizer_map: Any, loss_scale_factor: float | None = None, name: str | None = None
    ) -> None:
        if not callable(optimizer_map):
            raise TypeError(
                "MultiOptimizer: optimizer_map must be an OptimizerMap or a function, got "
                f"{optimizer_map!r}."
            )
        super().__init__(0.0, loss_scale_factor=loss_scale_factor, name=name)
        self.optimizer_map = optimizer_map
        self.optimizers: list[Any] = []
        if isinstance(optimizer_map, OptimizerMap):
            for optimizer in (*optimizer_map.values(), optimizer_map.default_optimizer):
                self._number(optimizer)

    def _number(self, optimizer: Any) -> int:
        """Return the number of an optimizer, a new one if it was not met yet."""
        for i, known in enumerate(self.optimizers):
            if known is optimizer:
                return i
        _check(optimizer).loss_scale_factor = self.loss_scale_factor
        self.optimizers.append(optimizer)
        if len(self.optimizers) > MOST_OPTIMIZERS:
            raise ValueError(
                f"MultiOptimizer: there are more than {MOST_OPTIMIZERS} optimizers. A function "
                "must return the same object for variables that are trained alike."
            )
        return len(self.optimizers) - 1

    # The engine.

    def specs(self) -> list[graph.Optimizer]:
        """Return the graph's optimizers."""
        return [optimizer.spec() for optimizer in self.optimizers]

    def put_into(self, target: graph.Graph, variables: Sequence[Any]) -> None:
        """Make a graph train with the optimizers."""
        parameters = []
        for parameter, variable in zip(target.parameters, variables, strict=True):
            number = self._number(self.optimizer_map(variable)) if parameter.trainable else 0
            parameters.append(
                self.optimizers[number]._train(parameter, variable, number)
                if parameter.trainable
                else parameter
            )
        target.parameters = parameters
        target.optimizer, *target.other_optimizers = self.specs()

    def _attach(self, program: Any, index: int = 0) -> None:
        super()._attach(program, index)
        for k, optimizer in enumerate(self.optimizers):
            optimizer._attach(program, k)

    def rates(self, step: int, count: int) -> np.ndarray:
        """Return learning rates and momenta: ``(count, optimizers, 2)``."""
        rows = [
            np.stack([o.learning_rates(step, count), o.momenta(step, count)], axis=1)
            for o in self.optimizers
        ]
        return np.stack(rows, axis=1)

    # What users see.

    @property
    def learning_rate(self) -> Any:
        """Not here: each of `optimizers` has its own."""
        raise AttributeError(
            "MultiOptimizer has no learning rate; each of its `optimizers` has its own."
        )

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        raise AttributeError("MultiOptimizer has no learning rate; set those of its `optimizers`.")

    lr = learning_rate

    def _scalars(self) -> list[Any]:
        return [self._raw_iterations(), constant("learning_rate", 0.0, "float32")]

    @property
    def variables(self) -> list[Any]:
        """Iterations, a learning rate without use, then those of each optimizer."""
        return [
            *self._scalars(),
            *(v for optimizer in self.optimizers for v in optimizer.variables),
        ]

    def exclude_from_weight_decay(self, var_list: Any = None, var_names: Any = None) -> None:
        """Keep variables from the decay of all optimizers."""
        for optimizer in self.optimizers:
            optimizer.exclude_from_weight_decay(var_list, var_names)

    def swap_averages(self) -> None:
        """Exchange variables with their averages, where an optimizer keeps some."""
        for optimizer in self.optimizers:
            if optimizer.use_ema:
                optimizer.swap_averages()

    def finalize_variable_values(self, var_list: Any) -> None:
        """Set variables to their averages, where an optimizer keeps some."""
        wanted = list(var_list)
        for optimizer in self.optimizers:
            optimizer.finalize_variable_values(wanted)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            "optimizer_map": serialize_keras_object(self.optimizer_map),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Create the optimizer from the result of `get_config`."""
        config = dict(config)
        config["optimizer_map"] = deserialize_keras_object(config["optimizer_map"], custom_objects)
        return cls(**config)

    def __repr__(self) -> str:
        return f"<MultiOptimizer {self.optimizers}>"
