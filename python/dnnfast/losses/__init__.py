"""Losses: what training makes small."""

from __future__ import annotations

from typing import Any

from dnnfast.lookup import deserialize_object, get_object
from dnnfast.losses.base import Loss, LossFunctionWrapper, name_of
from dnnfast.losses.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from dnnfast.losses.divergences import (
    CategoricalGeneralizedCrossEntropy,
    KLDivergence,
    Poisson,
    categorical_generalized_cross_entropy,
    kl_divergence,
    poisson,
)
from dnnfast.losses.focal import (
    BinaryFocalCrossentropy,
    CategoricalFocalCrossentropy,
    binary_focal_crossentropy,
    categorical_focal_crossentropy,
)
from dnnfast.losses.margins import (
    CategoricalHinge,
    Hinge,
    SquaredHinge,
    categorical_hinge,
    hinge,
    squared_hinge,
)
from dnnfast.losses.overlap import Dice, Tversky, dice, tversky
from dnnfast.losses.regression import (
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from dnnfast.losses.similarity import Circle, CosineSimilarity, circle, cosine_similarity
from dnnfast.saving.objects import serialize_keras_object

# Functions that are given as a loss, and the losses of their values.
_PAIRS: list[tuple[Any, type[Loss]]] = [
    (binary_crossentropy, BinaryCrossentropy),
    (binary_focal_crossentropy, BinaryFocalCrossentropy),
    (categorical_crossentropy, CategoricalCrossentropy),
    (categorical_focal_crossentropy, CategoricalFocalCrossentropy),
    (categorical_generalized_cross_entropy, CategoricalGeneralizedCrossEntropy),
    (categorical_hinge, CategoricalHinge),
    (circle, Circle),
    (cosine_similarity, CosineSimilarity),
    (dice, Dice),
    (hinge, Hinge),
    (huber, Huber),
    (kl_divergence, KLDivergence),
    (log_cosh, LogCosh),
    (mean_absolute_error, MeanAbsoluteError),
    (mean_absolute_percentage_error, MeanAbsolutePercentageError),
    (mean_squared_error, MeanSquaredError),
    (mean_squared_logarithmic_error, MeanSquaredLogarithmicError),
    (poisson, Poisson),
    (sparse_categorical_crossentropy, SparseCategoricalCrossentropy),
    (squared_hinge, SquaredHinge),
    (tversky, Tversky),
]
ALL: dict[str, type[Loss]] = {function.__name__: cls for function, cls in _PAIRS}

# Short and older names.
bce = BCE = binary_crossentropy
kld = KLD = kullback_leibler_divergence = kl_divergence
logcosh = log_cosh
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
mse = MSE = mean_squared_error
msle = MSLE = mean_squared_logarithmic_error

ALIASES: dict[str, type[Loss]] = {
    "bce": BinaryCrossentropy,
    "kld": KLDivergence,
    "kullback_leibler_divergence": KLDivergence,
    "logcosh": LogCosh,
    "huber_loss": Huber,
    "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "mse": MeanSquaredError,
    "msle": MeanSquaredLogarithmicError,
}


class Reduction:
    """The reductions of losses by name, as older code writes them.

    Example:
        >>> import dnnfast
        >>> dnnfast.losses.Huber(reduction=dnnfast.losses.Reduction.SUM).reduction
        'sum'
    """

    AUTO = "auto"
    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"


def get(identifier: Any) -> Loss | None:
    """Return the loss for a name, a function, a class, an object or a serialized form.

    Args:
        identifier: ``"mse"``, ``"MeanSquaredError"``, ``losses.mean_squared_error``,
            ``losses.MeanSquaredError()``, any function of targets and predictions written with
            `dnnfast.ops`, a registered name, or None.

    Raises:
        ValueError: if it is not known.

    Example:
        >>> import dnnfast
        >>> dnnfast.losses.get("mse").name
        'mean_squared_error'
        >>> def cubic(y_true, y_pred):
        ...     return dnnfast.ops.mean(dnnfast.ops.abs(y_true - y_pred) ** 3, axis=-1)
        >>> dnnfast.losses.get(cubic).name
        'cubic'
    """
    found = get_object("loss", identifier, Loss, {**ALL, **ALIASES})
    if found is None or isinstance(found, Loss):
        return found
    for function, cls in _PAIRS:
        if function is found:
            return cls()
    return LossFunctionWrapper(found, name=name_of(found))


def serialize(loss: Any) -> Any:
    """Return a loss or a function as plain data.

    Example:
        >>> import dnnfast
        >>> dnnfast.losses.serialize(dnnfast.losses.Huber())["class_name"]
        'Huber'
    """
    return serialize_keras_object(loss)


def deserialize(name: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the loss or the function of plain data, or the loss of a name.

    Args:
        name: the result of `serialize`, or a name.
        custom_objects: names of users' own classes and functions.

    Raises:
        ValueError: if the name is not known.
        TypeError: if a class or function is not known.

    Example:
        >>> import dnnfast
        >>> data = dnnfast.losses.serialize(dnnfast.losses.Huber(2.0))
        >>> dnnfast.losses.deserialize(data).delta
        2.0
    """
    return deserialize_object("loss", name, {**ALL, **ALIASES}, custom_objects)


__all__ = [
    "BCE",
    "KLD",
    "MAE",
    "MAPE",
    "MSE",
    "MSLE",
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "CategoricalHinge",
    "Circle",
    "CosineSimilarity",
    "Dice",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "LossFunctionWrapper",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "Reduction",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "Tversky",
    "bce",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "circle",
    "cosine_similarity",
    "deserialize",
    "dice",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "kld",
    "kullback_leibler_divergence",
    "log_cosh",
    "logcosh",
    "mae",
    "mape",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "mse",
    "msle",
    "poisson",
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "tversky",
]
