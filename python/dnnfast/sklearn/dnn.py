"""Estimators that need no model: nets of one of two well-tried configurations."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import RegressorMixin
from sklearn.utils.validation import column_or_1d

from dnnfast import checks
from dnnfast.sklearn.base import LabelledMixin
from dnnfast.sklearn.labels import Labels
from dnnfast.sklearn.ready_made import SHARED, DNNBase, fitted_scaler


class DNNClassifier(LabelledMixin, DNNBase):
    """A dense net that classifies, with defaults that train well; a scikit-learn estimator.

    Configuration ``"default"`` is ELU with He initialization, and batch normalization in nets of
    four or more hidden layers; ``"self_normalizing"`` is SELU with LeCun initialization and alpha
    dropout. Both train with Nadam and a falling learning rate until a held-out part of the samples
    is predicted no better, and keep the weights that predicted it best.

    Args:
        n_hidden_layers: at least 0. Default 2.
        n_neurons: units of each hidden layer, or a list with one number for each. Default 100.
        configuration: ``"default"`` or ``"self_normalizing"``.
        activation: of the hidden layers; default that of the configuration.
        batch_normalization: True, False, or ``"auto"`` (default): by the configuration.
        dropout: rate of dropout (or alpha dropout) after each hidden layer, in [0, 1). Default 0.
        alpha: factor of the L2 penalty on the hidden layers' kernels, at least 0. Default 0.
        optimizer: a name or an `optimizers.Optimizer`, of which each fit makes its own. Default
            ``"nadam"``.
        learning_rate: of the optimizer, above 0; the highest one of ``"one_cycle"``. Default 1e-3.
        schedule: ``"performance"`` (default) halves the rate when ``n_iter_no_change / 2`` epochs
            brought no improvement; ``"one_cycle"`` runs one cycle over all of ``max_iter`` epochs,
            of which the best one's weights are kept; ``"constant"``.
        batch_size: samples a step. Default 32.
        max_iter: largest number of epochs. Default 200.
        early_stopping: whether to hold out samples, to stop when they are predicted no better, and
            to keep the best weights. Default True.
        n_iter_no_change: epochs without improvement after which training stops. Default 10.
        tol: least change of the loss that counts as an improvement. Default 1e-4.
        validation_fraction: share of the samples held out, in [0, 1). If these were fewer than 10,
            none are, and the training loss tells when to stop. Default 0.1.
        shuffle: whether each epoch takes the samples in a new order. Default True.
        standardize: whether the net shifts and scales inputs to mean 0 and variance 1 over the
            training samples (of the first `partial_fit`). Default True.
        warm_start: whether `fit` goes on training the net that is there. Default False.
        random_state: an integer, a ``RandomState``, or None: that of NumPy.
        verbose: 1 shows a bar, 2 a line per epoch. Default 0.
        class_weight: a dict of labels and weights, ``"balanced"``, or None.

    Attributes:
        classes_: the labels.
        model_: the fitted `Sequential`; it gives probabilities.
        history_: lists of ``loss``, ``accuracy``, ``val_loss``, ... over the epochs.
        n_iter_: number of epochs.
        n_features_in_, feature_names_in_: as in all of scikit-learn.

    Raises:
        ValueError: in `fit`, if a parameter is out of range or the data does not fit.

    Example:
        >>> import numpy
        >>> from dnnfast.sklearn import DNNClassifier
        >>> x = numpy.random.default_rng(0).normal(size=(300, 2))
        >>> y = numpy.where(x[:, 0] * x[:, 1] > 0, "same", "different")
        >>> net = DNNClassifier(n_neurons=30, random_state=42).fit(x, y)
        >>> net.predict([[1.0, 1.5], [-1.0, 1.5]]).tolist()
        ['same', 'different']
        >>> bool(net.score(x, y) > 0.9)
        True
    """

    def __init__(
        self,
        n_hidden_layers: int = 2,
        n_neurons: Any = 100,
        *,
        configuration: str = "default",
        activation: Any = None,
        batch_normalization: Any = "auto",
        dropout: float = 0.0,
        alpha: float = 0.0,
        optimizer: Any = "nadam",
        learning_rate: float = 1e-3,
        schedule: str = "performance",
        batch_size: int = 32,
        max_iter: int = 200,
        early_stopping: bool = True,
        n_iter_no_change: int = 10,
        tol: float = 1e-4,
        validation_fraction: float = 0.1,
        shuffle: bool = True,
        standardize: bool = True,
        warm_start: bool = False,
        random_state: Any = None,
        verbose: int = 0,
        class_weight: Any = None,
    ) -> None:
        given = {name: value for name, value in locals().items() if name in SHARED}
        super().__init__(**given)
        self.class_weight = class_weight

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> DNNClassifier:
        """Train.

        Args:
            X: samples, ``[n, features]``: an array, a frame of pandas, nested lists.
            y: a label for each, of any type; or rows of 0 and 1, ``[n, classes]``, if a sample may
                have several labels.
            sample_weight: a weight for each sample, or None.

        Raises:
            ValueError: if the data or a parameter does not fit.
        """
        self._fit(X, y, sample_weight)
        return self

    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> DNNClassifier:
        """Train once through some samples, and go on with the next ones in the next call.

        Args:
            X: samples, ``[n, features]``.
            y: their labels.
            classes: all labels that are to come; needed in the first call only.
            sample_weight: a weight for each sample, or None.

        Raises:
            ValueError: if the first call lacks ``classes``, or the data does not fit.
        """
        rows_of_labels = getattr(y, "ndim", 1) == 2 or sparse.issparse(y)
        if not hasattr(self, "model_") and classes is None and not rows_of_labels:
            raise ValueError(
                "DNNClassifier: classes must be passed on the first call to partial_fit."
            )
        self._fit(X, y, sample_weight, once=True, classes=classes)
        return self

    def _targets(self, y: Any, weights: Any, fresh: bool, classes: Any) -> np.ndarray:
        if fresh:
            self._labels = Labels(y, classes, type(self).__name__)
            self.classes_ = self._labels.classes
            self.n_outputs_ = len(self.classes_)
        numbers = self._labels.numbers(y)
        # Of a single class nothing is to be learnt but that it is certain.
        return np.ones_like(numbers) if len(self.classes_) == 1 else numbers

    def _last_layer(self, targets: np.ndarray) -> tuple[int, str, Any, list[str]]:
        if self._labels.is_multilabel:
            return len(self.classes_), "sigmoid", "binary_crossentropy", ["binary_accuracy"]
        if len(self.classes_) <= 2:
            return 1, "sigmoid", "binary_crossentropy", ["accuracy"]
        return len(self.classes_), "softmax", "sparse_categorical_crossentropy", ["accuracy"]

    def _outputs(self, x: Any) -> np.ndarray:
        x = self._samples(x)
        outputs: np.ndarray = self.model_.predict(x, verbose=0)
        return outputs


class DNNRegressor(RegressorMixin, DNNBase):
    """A dense net that predicts numbers, with defaults that train well; a scikit-learn estimator.

    It is what `DNNClassifier` is, for numbers.

    Args:
        n_hidden_layers: this and all others but ``class_weight`` are those of `DNNClassifier`.
        loss: a name, a function or a `losses.Loss`. Default ``"mse"``.
        standardize_targets: whether the net learns targets of mean 0 and variance 1, and `predict`
            undoes it; losses are then those of scaled targets. Default True; some losses, such as
            ``"poisson"``, need False.

    Attributes:
        model_: the fitted `Sequential`; it gives scaled targets.
        history_: lists of ``loss``, ``val_loss``, ... over the epochs.
        n_iter_: number of epochs.
        n_outputs_: number of targets.
        n_features_in_, feature_names_in_: as in all of scikit-learn.

    Raises:
        ValueError: in `fit`, if a parameter is out of range or the data does not fit.

    Example:
        >>> import numpy
        >>> from dnnfast.sklearn import DNNRegressor
        >>> x = numpy.random.default_rng(0).uniform(-3, 3, size=(400, 1))
        >>> y = 1000 * numpy.sin(x[:, 0])
        >>> net = DNNRegressor(n_neurons=30, random_state=42).fit(x, y)
        >>> bool(net.score(x, y) > 0.95)
        True
    """

    def __init__(
        self,
        n_hidden_layers: int = 2,
        n_neurons: Any = 100,
        *,
        configuration: str = "default",
        activation: Any = None,
        batch_normalization: Any = "auto",
        dropout: float = 0.0,
        alpha: float = 0.0,
        optimizer: Any = "nadam",
        learning_rate: float = 1e-3,
        schedule: str = "performance",
        batch_size: int = 32,
        max_iter: int = 200,
        early_stopping: bool = True,
        n_iter_no_change: int = 10,
        tol: float = 1e-4,
        validation_fraction: float = 0.1,
        shuffle: bool = True,
        standardize: bool = True,
        warm_start: bool = False,
        random_state: Any = None,
        verbose: int = 0,
        loss: Any = "mse",
        standardize_targets: bool = True,
    ) -> None:
        given = {name: value for name, value in locals().items() if name in SHARED}
        super().__init__(**given)
        self.loss = loss
        self.standardize_targets = standardize_targets

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> DNNRegressor:
        """Train.

        Args:
            X: samples, ``[n, features]``: an array, a frame of pandas, nested lists.
            y: numbers, ``[n]`` or ``[n, outputs]``.
            sample_weight: a weight for each sample, or None.

        Raises:
            ValueError: if the data or a parameter does not fit.
        """
        self._fit(X, y, sample_weight)
        return self

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> DNNRegressor:
        """Train once through some samples, and go on with the next ones in the next call.

        Args:
            X: samples, ``[n, features]``.
            y: numbers, ``[n]`` or ``[n, outputs]``.
            sample_weight: a weight for each sample, or None.

        Raises:
            ValueError: if the data does not fit.
        """
        self._fit(X, y, sample_weight, once=True)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return the predicted numbers, ``[n]``, or ``[n, outputs]`` if ``y`` had columns.

        Args:
            X: samples, ``[n, features]``.
        """
        x = self._samples(X)
        outputs = self.model_.predict(x, verbose=0)
        if self._scaler is not None:
            outputs = outputs * self._scaler.scale_ + self._scaler.mean_
        return outputs if self._columns else outputs[:, 0]

    def _checks_of_targets(self) -> dict[str, Any]:
        return {"y_numeric": True}

    def _targets(self, y: Any, weights: Any, fresh: bool, classes: Any) -> np.ndarray:
        y = y if y.ndim == 2 and y.shape[1] > 1 else column_or_1d(y, warn=True)
        columns = y.shape[1] if y.ndim == 2 else 1
        if fresh:
            self._columns, self.n_outputs_ = y.ndim == 2, columns
            name = type(self).__name__
            scaled = checks.flag(name, "standardize_targets", self.standardize_targets)
            self._scaler = fitted_scaler(y.reshape(len(y), -1), weights) if scaled else None
        elif columns != self.n_outputs_:
            raise ValueError(
                f"DNNRegressor: y has {columns} columns, but the net was fitted on "
                f"{self.n_outputs_}."
            )
        y = y.reshape(len(y), -1)
        return (y if self._scaler is None else self._scaler.transform(y)).astype(np.float32)

    def _last_layer(self, targets: np.ndarray) -> tuple[int, str, Any, list[str]]:
        return targets.shape[1], "linear", self.loss, []

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
