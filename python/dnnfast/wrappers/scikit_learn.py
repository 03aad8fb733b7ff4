"""The wrappers of older Keras code: `dnnfast.sklearn`'s, with the fitted model as ``model``."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast import sklearn
from dnnfast.sklearn.wrapped import WrappedNet


class _Old(WrappedNet):
    """What the old wrappers had under other names."""

    @classmethod
    def _get_param_names(cls) -> list[str]:
        return [name for name in super()._get_param_names() if name != "model"]

    @property
    def model(self) -> Any:
        """The fitted model."""
        return self.model_

    @property
    def history(self) -> dict[str, list[Any]]:
        """Lists of what `fit` reported, over the epochs."""
        return self.history_


class KerasClassifier(_Old, sklearn.KerasClassifier):
    """A classifier of scikit-learn around a function that builds a compiled model.

    Args:
        build_fn: the function.
        **sk_params: its arguments, and those of `Model.fit`; all of `dnnfast.sklearn`'s
            `KerasClassifier`, too.

    Attributes:
        model: the fitted model.
        classes_: the labels.

    Raises:
        ValueError: if nothing takes a parameter.

    Example:
        >>> import dnnfast as keras, numpy
        >>> def build(units):
        ...     model = keras.Sequential([keras.layers.Dense(units, "relu", input_shape=(2,))])
        ...     model.add(keras.layers.Dense(3, activation="softmax"))
        ...     model.compile("sgd", "sparse_categorical_crossentropy")
        ...     return model
        >>> net = keras.wrappers.scikit_learn.KerasClassifier(build, units=4, verbose=0)
        >>> net.fit(numpy.eye(3, 2), [0, 1, 2]).model.count_params()
        27
    """

    def __init__(self, build_fn: Any = None, **sk_params: Any) -> None:
        super().__init__(build_fn=build_fn, **sk_params)

    def predict(self, X: Any, **kwargs: Any) -> np.ndarray:
        """Return the most probable label of each sample: its number, if they were one-hot.

        Args:
            X: samples.
            **kwargs: arguments of `Model.predict`.
        """
        found = super().predict(X, **kwargs)
        return found.argmax(axis=1) if self._labels.is_one_hot else found


class KerasRegressor(_Old, sklearn.KerasRegressor):
    """A regressor of scikit-learn around a function that builds a compiled model.

    Args:
        build_fn: the function.
        **sk_params: its arguments, and those of `Model.fit`; all of `dnnfast.sklearn`'s
            `KerasRegressor`, too.

    Attributes:
        model: the fitted model.

    Raises:
        ValueError: if nothing takes a parameter.

    Example:
        >>> import dnnfast as keras, numpy
        >>> def build(units):
        ...     model = keras.Sequential([keras.layers.Dense(units, "relu", input_shape=(2,))])
        ...     model.add(keras.layers.Dense(1))
        ...     model.compile("sgd", "mse")
        ...     return model
        >>> net = keras.wrappers.scikit_learn.KerasRegressor(build, units=4, verbose=0)
        >>> x = numpy.eye(3, 2)
        >>> score = net.fit(x, [0.0, 1.0, 2.0]).score(x, [0.0, 1.0, 2.0])
        >>> abs(score + net.model.evaluate(x, [0.0, 1.0, 2.0], verbose=0)) < 1e-6
        True
    """

    def __init__(self, build_fn: Any = None, **sk_params: Any) -> None:
        super().__init__(build_fn=build_fn, **sk_params)


__all__ = ["KerasClassifier", "KerasRegressor"]
