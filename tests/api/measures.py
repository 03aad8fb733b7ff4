"""Losses and metrics for tests: how to create each of them."""

from __future__ import annotations

from typing import Any

import dnnfast as keras

# Arguments without a default.
REQUIRED: dict[str, dict[str, Any]] = {
    "IoU": {"num_classes": 3, "target_class_ids": [0, 2]},
    "MeanIoU": {"num_classes": 3},
    "MeanMetricWrapper": {"fn": keras.losses.log_cosh},
    "OneHotIoU": {"num_classes": 3, "target_class_ids": [0, 2]},
    "OneHotMeanIoU": {"num_classes": 3},
    "PrecisionAtRecall": {"recall": 0.5},
    "RecallAtPrecision": {"precision": 0.5},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
}


def new_metric(cls: type, **options: Any) -> Any:
    """Return a metric of a class, with arguments for what has no default."""
    return cls(**{**REQUIRED.get(cls.__name__, {}), **options})
