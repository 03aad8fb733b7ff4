"""The estimators of ``keras.wrappers`` in Keras 3: around compiled models."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin, TransformerMixin
from sklearn.utils.multiclass import type_of_target

from dnnfast.models import Model, clone_model
from dnnfast.sklearn.base import LabelledMixin, NetEstimator, share_cores
from dnnfast.sklearn.labels import Labels


class _Wrapper(NetEstimator):
    """What the three have in common; see `SKLearnClassifier`."""

    _any_shape = True

    def __init__(
        self, model: Any, warm_start: bool = False, model_kwargs: Any = None, fit_kwargs: Any = None
    ) -> None:
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    def fit(self, X: Any, y: Any, **kwargs: Any) -> Any:
        """Train the model.

        Args:
            X: samples, ``[n, features]`` or of more axes.
            y: targets, ``[n]`` or ``[n, outputs]``.
            **kwargs: arguments of `Model.fit`; they win over ``fit_kwargs``.

        Raises:
            RuntimeError: if the model is not compiled.
            ValueError: if the data does not fit.
        """
        share_cores()
        goes_on = self.warm_start and hasattr(self, "model_")
        X, y = self._training_data(X, y, not goes_on)
        targets = self._learn(y)
        model = self.model_ if goes_on else self._new_model(X, targets)
        if not isinstance(model, Model) or not model.compiled or model.loss is None:
            raise RuntimeError(
                f"{type(self).__name__}: the model must be compiled with an optimizer and a loss; "
                f"got {model!r}."
            )
        found = model.fit(X, targets, **{**(self.fit_kwargs or {}), **kwargs})
        self.history_, self.model_ = found.history, model
        return self

    def _new_model(self, x: np.ndarray, targets: np.ndarray) -> Any:
        if not isinstance(self.model, Model):
            return self.model(X=x, y=targets, **(self.model_kwargs or {}))
        if self.warm_start:
            return self.model
        config = self.model.get_compile_config()
        model = clone_model(self.model)
        if config is not None:
            model.compile_from_config(config)
        return model

    def _learn(self, y: Any) -> np.ndarray:
        """Return targets as the model takes them; learn how to undo it."""
        type_of_target(y, input_name="y", raise_unknown=True)
        self._is_flat = np.ndim(y) == 1
        return np.asarray(y).reshape(len(y), -1)

    def _raw(self, x: Any) -> np.ndarray:
        x = self._samples(x)
        outputs: np.ndarray = self.model_.predict(x, verbose=0)
        return outputs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True
        return tags


class SKLearnClassifier(LabelledMixin, _Wrapper):
    """A classifier of scikit-learn around a model that takes one-hot targets.

    Args:
        model: a compiled `Model`, of which each fit trains a clone; or a function that returns one
            and takes ``X``, ``y`` (one-hot) and ``model_kwargs``.
        warm_start: whether `fit` trains the model itself, and goes on with it. Default False.
        model_kwargs: further arguments of the function, a dict or None.
        fit_kwargs: arguments of `Model.fit`, a dict or None.

    Attributes:
        classes_: the labels.
        model_: the fitted model.
        history_: lists of ``loss``, ... over the epochs.

    Raises:
        RuntimeError: in `fit`, if the model is not compiled.

    Example:
        >>> import dnnfast as keras, numpy
        >>> def build(X, y, units):
        ...     model = keras.Sequential([keras.Input(X.shape[1:])])
        ...     model.add(keras.layers.Dense(units, activation="relu"))
        ...     model.add(keras.layers.Dense(y.shape[1], activation="softmax"))
        ...     model.compile(keras.optimizers.Adam(0.05), loss="categorical_crossentropy")
        ...     return model
        >>> x = numpy.random.default_rng(0).normal(size=(200, 2))
        >>> y = numpy.where(x[:, 0] > x[:, 1], "over", "under")
        >>> net = keras.wrappers.SKLearnClassifier(build, model_kwargs={"units": 10})
        >>> net.fit(x, y, epochs=20, verbose=0).predict([[1.0, -1.0], [-1.0, 1.0]]).tolist()
        ['over', 'under']
    """

    def _learn(self, y: Any) -> np.ndarray:
        self._labels = Labels(y, name=type(self).__name__)
        if self._labels.is_multilabel:
            raise ValueError(f"{type(self).__name__}: y must hold one label a sample.")
        self.classes_ = self._labels.classes
        if len(self.classes_) == 1:
            raise ValueError("Classifier can't train when only one class is present.")
        return self._labels.one_hot(self._labels.numbers(y))

    def _outputs(self, x: Any) -> np.ndarray:
        return self._raw(x)

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the model's outputs.

        Args:
            X: samples.
        """
        return self._raw(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = False
        tags.classifier_tags.poor_score = True
        return tags


class SKLearnRegressor(RegressorMixin, _Wrapper):
    """A regressor of scikit-learn around a model; its score is the coefficient of determination.

    Args:
        model: this and all others are those of `SKLearnClassifier`; ``y`` is ``[n, outputs]``.

    Attributes:
        model_: the fitted model.
        history_: lists of ``loss``, ... over the epochs.

    Raises:
        RuntimeError: in `fit`, if the model is not compiled.

    Example:
        >>> import dnnfast as keras, numpy
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(keras.optimizers.SGD(0.1), loss="mse")
        >>> x = numpy.random.default_rng(0).normal(size=(200, 2))
        >>> net = keras.wrappers.SKLearnRegressor(model, fit_kwargs={"epochs": 20, "verbose": 0})
        >>> bool(net.fit(x, x[:, 0] - x[:, 1]).score(x, x[:, 0] - x[:, 1]) > 0.99)
        True
    """

    def predict(self, X: Any) -> np.ndarray:
        """Return the predicted numbers, in the shape that ``y`` had.

        Args:
            X: samples.
        """
        outputs = self._raw(X).astype(np.float64)
        return outputs[:, 0] if self._is_flat else outputs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.regressor_tags.poor_score = True
        return tags


class SKLearnTransformer(TransformerMixin, _Wrapper):
    """A transformer of scikit-learn around a model: its outputs are the features of what follows.

    Args:
        model: this and all others are those of `SKLearnClassifier`; ``y`` is ``[n, outputs]``.

    Attributes:
        model_: the fitted model.
        history_: lists of ``loss``, ... over the epochs.

    Raises:
        RuntimeError: in `fit`, if the model is not compiled.

    Example:
        >>> import dnnfast as keras, numpy
        >>> layers = [keras.layers.Dense(2), keras.layers.Dense(4)]
        >>> model = keras.Sequential([keras.Input((4,)), *layers])
        >>> model.compile("adam", loss="mse")
        >>> x = numpy.random.default_rng(0).normal(size=(50, 4))
        >>> net = keras.wrappers.SKLearnTransformer(model, fit_kwargs={"verbose": 0})
        >>> net.fit(x, x).transform(x).shape
        (50, 4)
    """

    def transform(self, X: Any) -> np.ndarray:
        """Return the model's outputs.

        Args:
            X: samples.
        """
        return self._raw(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        tags.target_tags.required = True
        return tags
