"""Optimizers: how training changes the weights."""

from __future__ import annotations

from typing import Any

from dnnfast.lookup import get_object
from dnnfast.optimizers import schedules
from dnnfast.optimizers.adadelta import Adadelta
from dnnfast.optimizers.adafactor import Adafactor
from dnnfast.optimizers.adagrad import Adagrad
from dnnfast.optimizers.adam import Adam
from dnnfast.optimizers.adamax import Adamax
from dnnfast.optimizers.adamw import AdamW
from dnnfast.optimizers.ftrl import Ftrl
from dnnfast.optimizers.lamb import Lamb
from dnnfast.optimizers.lion import Lion
from dnnfast.optimizers.loss_scale import LossScaleOptimizer
from dnnfast.optimizers.multi import MultiOptimizer, OptimizerMap
from dnnfast.optimizers.muon import Muon
from dnnfast.optimizers.nadam import Nadam
from dnnfast.optimizers.optimizer import Optimizer
from dnnfast.optimizers.rmsprop import RMSprop
from dnnfast.optimizers.schedule_free_adamw import ScheduleFreeAdamW
from dnnfast.optimizers.sgd import SGD
from dnnfast.saving.objects import deserialize_keras_object, serialize_keras_object

_PLAIN = (
    *(Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Ftrl, Lamb, Lion, Muon, Nadam, RMSprop),
    *(SGD, ScheduleFreeAdamW),
)
ALL: dict[str, type[Optimizer]] = {cls.__name__.lower(): cls for cls in _PLAIN}
_KINDS = {cls.kind for cls in (*_PLAIN, LossScaleOptimizer, MultiOptimizer)}


def get(identifier: Any) -> Optimizer:
    """Return the optimizer for a name, an object or a serialized form.

    Args:
        identifier: ``"adam"``, ``optimizers.Adam()``.

    Raises:
        ValueError: if it is not known.

    Example:
        >>> import dnnfast
        >>> dnnfast.optimizers.get("adam")
        <Adam learning_rate=0.001>
    """
    found = get_object("optimizer", identifier, Optimizer, ALL)
    if not isinstance(found, Optimizer) or found.kind not in _KINDS:
        raise ValueError(
            f"optimizer {identifier!r} is not one that the engines can run; the optimizers are: "
            f"{', '.join(ALL)}."
        )
    return found


def serialize(optimizer: Any) -> Any:
    """Return the optimizer as plain data.

    Example:
        >>> import dnnfast
        >>> data = dnnfast.optimizers.serialize(dnnfast.optimizers.SGD(0.5))
        >>> float(dnnfast.optimizers.deserialize(data).learning_rate)
        0.5
    """
    return serialize_keras_object(optimizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the optimizer of plain data.

    Example:
        >>> import dnnfast
        >>> data = dnnfast.optimizers.serialize(dnnfast.optimizers.SGD(0.5))
        >>> float(dnnfast.optimizers.deserialize(data).learning_rate)
        0.5
    """
    return deserialize_keras_object(config, custom_objects)


__all__ = [
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "LossScaleOptimizer",
    "MultiOptimizer",
    "Muon",
    "Nadam",
    "Optimizer",
    "OptimizerMap",
    "RMSprop",
    "ScheduleFreeAdamW",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]
