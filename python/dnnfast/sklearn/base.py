"""What the estimators share: seeds, sample weights, and what a classifier does with labels."""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import os
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from dnnfast import config
from dnnfast.random.seed import seeded
from dnnfast.sklearn.labels import Labels

# Types that the engine reads where they are; anything else becomes the first.
READABLE = [np.float32, np.float64, np.uint8, np.int8, np.uint16, np.int16, np.int32, np.int64]


@functools.cache
def share_cores() -> None:
    """Use as many threads as joblib gave to the libraries in this worker process, if it is one."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    is_worker = multiprocessing.parent_process() is not None
    if is_worker and given.isdigit() and not os.environ.get("DNNFAST_THREADS"):
        config.set_threads(max(1, min(int(given), config.threads())))


class NetEstimator(BaseEstimator):
    """The base of the estimators: a fitted one has a model, ``model_``."""

    model_: Any
    history_: dict[str, list[Any]]
    n_features_in_: int
    _random: np.random.RandomState  # goes on from one `partial_fit` to the next
    _any_shape = False  # whether samples may have more than one axis

    def _seeds(self) -> contextlib.AbstractContextManager[Any]:
        """Return the context in which dnnfast draws from a seed of the estimator's sequence."""
        return seeded(int(self._random.randint(2**31 - 1)))

    def _samples(self, x: Any) -> np.ndarray:
        """Return samples to predict for, checked against those of the training."""
        check_is_fitted(self)
        array: np.ndarray = validate_data(
            self, x, reset=False, dtype=READABLE, allow_nd=self._any_shape
        )
        return array

    def _training_data(self, x: Any, y: Any, reset: bool, **options: Any) -> tuple[Any, Any]:
        """Return samples and targets, checked."""
        x, y = validate_data(
            self,
            x,
            y,
            reset=reset,
            dtype=READABLE,
            multi_output=True,
            allow_nd=self._any_shape,
            **options,
        )
        return x, y

    def _weights(
        self, sample_weight: Any, x: np.ndarray, y: Any = None, class_weight: Any = None
    ) -> np.ndarray | None:
        """Return the weights of samples, those of their classes included, or None."""
        if sample_weight is None and class_weight is None:
            return None
        weights = np.ones(len(x))
        if sample_weight is not None:
            weights = np.array(_check_sample_weight(sample_weight, x, dtype=np.float64))
            if not weights.any():
                raise ValueError(
                    "Sample weights must contain at least one non-zero number, but all are zero."
                )
        if class_weight is not None:
            weights *= compute_sample_weight(class_weight, y)
        return weights

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")


class LabelledMixin(ClassifierMixin):
    """What classifiers do with the outputs of their nets."""

    _labels: Labels
    classes_: np.ndarray

    def _outputs(self, x: Any) -> np.ndarray:
        """Return a net's outputs as probabilities."""
        raise NotImplementedError

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class.

        Args:
            X: samples, ``[n, features]``.

        Returns:
            ``[n, classes]``, in the order of ``classes_``. If a sample may have several labels,
            the probabilities of each, which need not add up to 1.
        """
        outputs = self._outputs(X)
        return self._labels.probabilities(outputs)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the logarithms of `predict_proba`."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable label of each sample, or all those of more than one half.

        Args:
            X: samples, ``[n, features]``.
        """
        probabilities = self.predict_proba(X)
        return self._labels.decided(probabilities)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the share of samples that `predict` gives the right label (or all of them).

        Args:
            X: samples, ``[n, features]``.
            y: their labels.
            sample_weight: a weight for each sample, or None.

        Raises:
            ValueError: if ``y`` holds labels that the training did not have.
        """
        probabilities = self.predict_proba(X)
        predicted = self._labels.decided(probabilities)
        known = self._labels.fitting(y, "y")
        return float(accuracy_score(known, predicted, sample_weight=sample_weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
