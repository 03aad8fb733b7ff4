"""Estimators around models that a function builds."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import column_or_1d

from dnnfast import ops
from dnnfast.losses import LossFunctionWrapper
from dnnfast.sklearn.base import LabelledMixin
from dnnfast.sklearn.labels import Labels
from dnnfast.sklearn.wrapped import WrappedNet


class KerasClassifier(LabelledMixin, WrappedNet):
    """A classifier of scikit-learn around a function that builds a model.

    Args:
        model: a function that returns a `Model`, compiled or not; or a `Model`, of which each fit
            trains a copy. The function may take ``meta`` (a dict of what is known of the data:
            ``n_features_in_``, ``n_classes_``, ``n_outputs_expected_``, ``target_type_``, ...),
            ``compile_kwargs`` (arguments for ``model.compile``) and ``params`` (all parameters).
        build_fn: the old name of ``model``.
        warm_start: whether `fit` goes on training the model that is there. Default False.
        random_state: an integer, a ``RandomState``, or None: dnnfast's own global seed.
        optimizer: a name, a class or an object, for models that are not compiled. Default
            ``"rmsprop"``.
        loss: as well; default by the model's last layer: ``"binary_crossentropy"`` for one unit or
            several labels a sample, else ``"sparse_categorical_crossentropy"``.
        metrics: as well; a list of names, classes and objects.
        batch_size: of `fit` and `predict`; default that of `Model.fit`.
        validation_batch_size: of `Model.fit`, as the next ones.
        validation_split: default 0.
        callbacks: a list or dict of callbacks, or of classes, of which each fit makes its own.
        shuffle: default True.
        epochs: default 1.
        verbose: of `fit`. Default ``"auto"``.
        class_weight: a dict of labels and weights, ``"balanced"``, or None.
        **parameters: arguments of the function, plain (``units=30``) or routed
            (``model__units=30``); of `Model.fit` (``fit__steps_per_epoch=10``) and `Model.predict`
            (``predict__batch_size=10``); of classes and names above
            (``optimizer__learning_rate=0.01``, ``callbacks__patience=3``, or for one of several
            ``callbacks__0__patience=3``); of ``compile``.

    Attributes:
        classes_: the labels, of any type.
        n_classes_: their number.
        target_type_: ``"binary"``, ``"multiclass"`` or ``"multilabel-indicator"``.
        model_: the fitted model.
        history_: lists of ``loss``, ... over the epochs.
        n_features_in_, feature_names_in_: as in all of scikit-learn.

    Raises:
        TypeError: if nothing takes a parameter.
        ValueError: in `fit`, if the data does not fit, or a parameter could have no effect.

    Example:
        >>> import dnnfast as keras, numpy
        >>> from dnnfast.sklearn import KerasClassifier
        >>> def build(meta, units=30):
        ...     model = keras.Sequential([keras.Input((meta["n_features_in_"],))])
        ...     model.add(keras.layers.Dense(units, activation="relu"))
        ...     model.add(keras.layers.Dense(1, activation="sigmoid"))
        ...     return model
        >>> x = numpy.random.default_rng(0).normal(size=(200, 2))
        >>> y = numpy.where(x[:, 0] > x[:, 1], "over", "under")
        >>> net = KerasClassifier(build, units=10, epochs=20, verbose=0, random_state=42,
        ...     optimizer="adam", optimizer__learning_rate=0.01)
        >>> net.fit(x, y).predict([[1.0, -1.0], [-1.0, 1.0]]).tolist()
        ['over', 'under']
        >>> net.get_params()["optimizer__learning_rate"]
        0.01
    """

    def __init__(
        self,
        model: Any = None,
        *,
        build_fn: Any = None,
        warm_start: bool = False,
        random_state: Any = None,
        optimizer: Any = None,
        loss: Any = None,
        metrics: Any = None,
        batch_size: int | None = None,
        validation_batch_size: int | None = None,
        validation_split: float = 0.0,
        callbacks: Any = None,
        shuffle: bool = True,
        epochs: int = 1,
        verbose: Any = "auto",
        class_weight: Any = None,
        **parameters: Any,
    ) -> None:
        self._keep(locals(), parameters)

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> KerasClassifier:
        """Build a model and train it.

        Args:
            X: samples, ``[n, features]`` or of more axes.
            y: a label for each, of any type; or rows of 0 and 1, ``[n, classes]``: several labels a
                sample, or one if the loss is a categorical one.
            sample_weight: a weight for each sample, or None.
            **kwargs: further arguments of `Model.fit`, such as ``epochs`` or ``validation_data``
                (with labels as in ``y``).

        Raises:
            ValueError: if the data does not fit the model.
        """
        self._fit(X, y, sample_weight, kwargs)
        return self

    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None, **kwargs: Any
    ) -> KerasClassifier:
        """Train the model that is there for one epoch; build it in the first call.

        Args:
            X: samples.
            y: their labels.
            classes: all labels that are to come; default those of the first call.
            sample_weight: a weight for each sample, or None.
            **kwargs: further arguments of `Model.fit`.

        Raises:
            ValueError: if the data does not fit the model.
        """
        self._fit(X, y, sample_weight, kwargs, once=True, classes=classes)
        return self

    def initialize(self, X: Any, y: Any) -> KerasClassifier:
        """Build the model for some data without training it.

        Args:
            X: samples.
            y: their labels.

        Raises:
            ValueError: if the data does not fit the model.
        """
        self._prepare(X, y, True)
        return self

    def _learn_targets(self, y: Any, classes: Any) -> None:
        self._labels = Labels(y, classes, type(self).__name__)
        self.classes_, self.target_type_ = self._labels.classes, self._labels.kind
        self.n_classes_ = len(self.classes_)
        self.n_outputs_ = self.n_classes_ if self._labels.is_multilabel else 1
        self.n_outputs_expected_ = 1 if self.target_type_ == "binary" else self.n_classes_

    def _usual_loss(self, units: int) -> str:
        if units == 1 or self._labels.is_multilabel:
            return "binary_crossentropy"
        return "sparse_categorical_crossentropy"

    @property
    def _units(self) -> int:
        return int(self.model_.output_shape[-1])

    def _adjust(self) -> None:
        loss, units = self._loss(), self._units
        if "categorical" in getattr(loss, "name", ""):
            self._labels.take_one_each()
        fits = units >= self.n_classes_ or (units == 1 and self.n_classes_ <= 2)
        if self._labels.is_multilabel:
            fits = units == self.n_classes_
        if not fits:
            raise ValueError(
                f"{type(self).__name__}: there are {self.n_classes_} classes, but the model's last "
                f"layer has {units} units. Let the function take `meta` and use "
                'meta["n_outputs_expected_"].'
            )

    def _targets(self, y: Any, what: str = "y") -> np.ndarray:
        numbers, loss = self._labels.numbers(y, what), self._loss()
        if self._labels.is_multilabel:
            return numbers.argmax(axis=1) if loss.sparse else numbers
        if self._units == 1:
            return numbers.astype(np.float32)
        own = type(loss) is LossFunctionWrapper or not type(loss).__module__.startswith("dnnfast.")
        # A user's function is given class numbers.
        return numbers if loss.sparse or own else self._labels.one_hot(numbers, self._units)

    def _outputs(self, x: Any, **arguments: Any) -> np.ndarray:
        outputs = self._predicted(x, arguments)
        if self._loss().from_logits:
            one_of = self._units > 1 and (not self._labels.is_multilabel or self._labels.is_one_hot)
            outputs = np.asarray(ops.softmax(outputs) if one_of else ops.sigmoid(outputs))
        if self._units > max(self.n_classes_, 1) and self.n_classes_ > 1:
            # Units of labels that the training did not have.
            outputs = outputs[:, : self.n_classes_]
            outputs = outputs / np.maximum(outputs.sum(axis=1, keepdims=True), 1e-30)
        return outputs

    def predict_proba(self, X: Any, **kwargs: Any) -> np.ndarray:
        """Return the probability of each class.

        Args:
            X: samples.
            **kwargs: arguments of `Model.predict`.

        Returns:
            ``[n, classes]``, in the order of ``classes_``.
        """
        outputs = self._outputs(X, **kwargs)
        return self._labels.probabilities(outputs)

    def predict(self, X: Any, **kwargs: Any) -> np.ndarray:
        """Return the most probable label of each sample, or all those of more than one half.

        Args:
            X: samples.
            **kwargs: arguments of `Model.predict`.
        """
        probabilities = self.predict_proba(X, **kwargs)
        return self._labels.decided(probabilities)


class KerasRegressor(RegressorMixin, WrappedNet):
    """A regressor of scikit-learn around a function that builds a model.

    Its `score` is minus the loss, as that of the old ``keras.wrappers``; for the coefficient of
    determination pass ``scoring="r2"`` to searches.

    Args:
        model: this and all others but ``class_weight`` are those of `KerasClassifier`. The default
            loss is ``"mse"``.

    Attributes:
        n_outputs_: number of targets.
        model_: the fitted model.
        history_: lists of ``loss``, ... over the epochs.
        n_features_in_, feature_names_in_: as in all of scikit-learn.

    Raises:
        TypeError: if nothing takes a parameter.
        ValueError: in `fit`, if the data does not fit, or a parameter could have no effect.

    Example:
        >>> import dnnfast as keras, numpy
        >>> from dnnfast.sklearn import KerasRegressor
        >>> def build(n_hidden=1, n_neurons=30, learning_rate=3e-3):
        ...     model = keras.Sequential([keras.Input((8,))])
        ...     for _ in range(n_hidden):
        ...         model.add(keras.layers.Dense(n_neurons, activation="relu"))
        ...     model.add(keras.layers.Dense(1))
        ...     model.compile(keras.optimizers.SGD(learning_rate), loss="mse")
        ...     return model
        >>> x = numpy.random.default_rng(0).normal(size=(200, 8))
        >>> net = KerasRegressor(build, n_neurons=10, epochs=5, verbose=0, random_state=42)
        >>> net.fit(x, x.sum(axis=1)).predict(x[:3]).shape
        (3,)
        >>> bool(net.score(x, x.sum(axis=1)) < 0)
        True
    """

    def __init__(
        self,
        model: Any = None,
        *,
        build_fn: Any = None,
        warm_start: bool = False,
        random_state: Any = None,
        optimizer: Any = None,
        loss: Any = None,
        metrics: Any = None,
        batch_size: int | None = None,
        validation_batch_size: int | None = None,
        validation_split: float = 0.0,
        callbacks: Any = None,
        shuffle: bool = True,
        epochs: int = 1,
        verbose: Any = "auto",
        **parameters: Any,
    ) -> None:
        self._keep(locals(), parameters)

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> KerasRegressor:
        """Build a model and train it.

        Args:
            X: samples, ``[n, features]`` or of more axes.
            y: numbers, ``[n]`` or ``[n, outputs]``.
            sample_weight: a weight for each sample, or None.
            **kwargs: further arguments of `Model.fit`, such as ``epochs`` or ``validation_data``.

        Raises:
            ValueError: if the data does not fit the model.
        """
        self._fit(X, y, sample_weight, kwargs)
        return self

    def partial_fit(
        self, X: Any, y: Any, sample_weight: Any = None, **kwargs: Any
    ) -> KerasRegressor:
        """Train the model that is there for one epoch; build it in the first call.

        Args:
            X: samples.
            y: numbers.
            sample_weight: a weight for each sample, or None.
            **kwargs: further arguments of `Model.fit`.

        Raises:
            ValueError: if the data does not fit the model.
        """
        self._fit(X, y, sample_weight, kwargs, once=True)
        return self

    def initialize(self, X: Any, y: Any) -> KerasRegressor:
        """Build the model for some data without training it.

        Args:
            X: samples.
            y: numbers.

        Raises:
            ValueError: if the data does not fit the model.
        """
        self._prepare(X, y, True)
        return self

    def predict(self, X: Any, **kwargs: Any) -> np.ndarray:
        """Return the predicted numbers, in the shape that ``y`` had.

        Args:
            X: samples.
            **kwargs: arguments of `Model.predict`.
        """
        outputs = self._predicted(X, kwargs).astype(np.float64)
        return outputs if self._columns or outputs.shape[1:] != (1,) else outputs[:, 0]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return minus the loss that the model was compiled with, so that more is better.

        Args:
            X: samples.
            y: numbers.
            sample_weight: a weight for each sample, or None.

        Raises:
            ValueError: if the data does not fit the model.
        """
        x, y = self._prepare(X, y, False)
        weights = self._weights(sample_weight, x)
        found = self.model_.evaluate(x, self._targets(y), sample_weight=weights, verbose=0)
        return -float(found[0] if isinstance(found, list) else found)

    def _checks_of_targets(self) -> dict[str, Any]:
        return {"y_numeric": True}

    def _learn_targets(self, y: Any, classes: Any) -> None:
        self._columns = y.ndim > 1 and y.shape[1] > 1
        self.n_outputs_ = self.n_outputs_expected_ = y.shape[1] if self._columns else 1
        self.target_type_ = "continuous-multioutput" if self._columns else "continuous"

    def _usual_loss(self, units: int) -> str:
        return "mse"

    def _targets(self, y: Any, what: str = "y") -> np.ndarray:
        y = np.asarray(y)
        return y if self._columns else column_or_1d(y, warn=True)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.regressor_tags.poor_score = True  # a loss is no coefficient of determination
        return tags
