"""Class labels of any type as the targets of a net, and its outputs as labels again."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

_KINDS = ("binary", "multiclass", "multilabel-indicator")


class Labels:
    """The classes of a classifier: one of several a sample, or any number of them.

    Args:
        y: labels of the training, ``[n]``, or rows of 0 and 1, ``[n, classes]``.
        classes: all labels, if more are to come than ``y`` has.
        name: of the estimator, for messages.

    Raises:
        ValueError: if these are no labels.
    """

    def __init__(self, y: Any, classes: Any = None, name: str = "classifier") -> None:
        self.name = name
        self.is_one_hot = False
        check_classification_targets(y)
        self.kind = type_of_target(y, input_name="y", raise_unknown=True)
        if self.kind not in _KINDS:
            raise ValueError(
                f"{name}: y must hold one label a sample, or rows of 0 and 1 that mark all labels "
                f"of a sample; got {self.kind} targets. Use "
                "sklearn.multioutput.MultiOutputClassifier for several labels of a kind each."
            )
        array = np.asarray(y)
        self.dtype = array.dtype
        if self.kind == "multilabel-indicator":
            self.classes = np.arange(array.shape[1])
        else:
            found = np.unique(column_or_1d(array, warn=True))
            self.classes = found if classes is None else np.unique(np.asarray(classes))
            self.kind = "multiclass" if len(self.classes) > 2 else "binary"

    def take_one_each(self) -> None:
        """Read rows of 0 and 1 as one label a sample, one-hot."""
        self.is_one_hot = self.is_multilabel

    @property
    def is_multilabel(self) -> bool:
        """Whether a sample has any number of labels."""
        return self.kind == "multilabel-indicator"

    def fitting(self, y: Any, what: str) -> np.ndarray:
        """Return labels as an array, if the training had all of them.

        Raises:
            ValueError: if there are others, naming them.
        """
        if self.is_multilabel:
            array = np.asarray(y)
            if array.ndim != 2 or array.shape[1] != len(self.classes):
                raise ValueError(
                    f"{self.name}: {what} has shape {array.shape}; the classifier was fitted on "
                    f"rows of {len(self.classes)} labels: expected (n, {len(self.classes)})."
                )
            return array
        array = column_or_1d(np.asarray(y), warn=True)
        unknown = [label for label in np.unique(array) if label not in self.classes]
        if unknown:
            listed = ", ".join(repr(_plain(label)) for label in unknown[:5])
            known = ", ".join(repr(_plain(label)) for label in self.classes[:10])
            known += ", ..." if len(self.classes) > 10 else ""
            raise ValueError(
                f"{self.name}: {what} holds labels that the training did not have: {listed}; it "
                f"had {known}. Fit on data with all labels, or leave these samples out."
            )
        return array

    def numbers(self, y: Any, what: str = "y") -> np.ndarray:
        """Return the class number of each label, ``[n]``, or the rows of 0 and 1 as they are."""
        array = self.fitting(y, what)
        if self.is_multilabel:
            return array.astype(np.float32)
        return np.searchsorted(self.classes, array).astype(np.int64)

    def one_hot(self, numbers: np.ndarray, size: int | None = None) -> np.ndarray:
        """Return class numbers as rows with a single 1; of ``size``, or as many as classes."""
        return np.eye(size or len(self.classes), dtype=np.float32)[numbers]

    def probabilities(self, outputs: np.ndarray) -> np.ndarray:
        """Return the probability of each class, ``[n, classes]``, from a net's outputs."""
        if len(self.classes) == 1:
            return np.ones((len(outputs), 1), np.float32)
        if not self.is_multilabel and outputs.shape[-1] == 1:
            return np.concatenate([1 - outputs, outputs], axis=1)
        return outputs

    def decided(self, probabilities: np.ndarray) -> np.ndarray:
        """Return the labels that a net's probabilities stand for."""
        if self.is_one_hot:
            return self.one_hot(np.argmax(probabilities, axis=1)).astype(self.dtype)
        if self.is_multilabel:
            return (probabilities > 0.5).astype(self.dtype)
        return self.classes[np.argmax(probabilities, axis=1)]


def _plain(label: Any) -> Any:
    return label.item() if isinstance(label, np.generic) else label
