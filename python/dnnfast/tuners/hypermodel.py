"""What a tuner builds and trains."""

from __future__ import annotations

from typing import Any

from dnnfast.tuners.hyperparameters import HyperParameters


class HyperModel:
    """A model to be tuned: override `build`, and `fit` to tune the training too.

    Args:
        name: default None.
        tunable: kept for Keras Tuner's sake.

    Example:
        >>> import dnnfast as keras
        >>> class Net(keras.HyperModel):
        ...     def build(self, hp):
        ...         units = hp.Int("units", 10, 100, sampling="log")
        ...         model = keras.Sequential([keras.layers.Dense(units, activation="relu")])
        ...         model.add(keras.layers.Dense(1))
        ...         model.compile("adam", loss="mse")
        ...         return model
        ...     def fit(self, hp, model, x, y, **kwargs):
        ...         return model.fit(x, y, batch_size=hp.Choice("batch_size", [16, 32]), **kwargs)
        >>> Net().build(keras.tuners.HyperParameters()).layers[0].units
        10
    """

    def __init__(self, name: str | None = None, tunable: bool = True) -> None:
        self.name, self.tunable = name, tunable

    def build(self, hp: HyperParameters) -> Any:
        """Return a compiled model.

        Args:
            hp: where to ask for hyperparameters.
        """
        raise NotImplementedError(f"{type(self).__name__}: define build(self, hp).")

    def fit(self, hp: HyperParameters, model: Any, *args: Any, **kwargs: Any) -> Any:
        """Train a model that `build` returned.

        Args:
            hp: where to ask for further hyperparameters.
            model: the model.
            *args: those of `search`.
            **kwargs: those of `search`; pass ``callbacks`` on to `Model.fit`: the tuner's are among
                them.

        Returns:
            The `History`; or the objective's value, or a dict of reported values by name.
        """
        return model.fit(*args, **kwargs)


class FunctionHyperModel(HyperModel):
    """A function ``build(hp)`` as a `HyperModel`.

    Args:
        build: the function.
    """

    def __init__(self, build: Any) -> None:
        super().__init__()
        self._build = build

    def build(self, hp: HyperParameters) -> Any:
        """Return what the function returns."""
        return self._build(hp)


def as_hypermodel(given: Any) -> HyperModel | None:
    """Return a `HyperModel` for one, or for a function.

    Raises:
        ValueError: if it is neither.
    """
    if given is None or isinstance(given, HyperModel):
        return given
    if callable(given):
        return FunctionHyperModel(given)
    raise ValueError(f"hypermodel must be a HyperModel or a function of hp, got {given!r}.")
