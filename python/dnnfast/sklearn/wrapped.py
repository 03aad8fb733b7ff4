"""The base of the estimators around models that a user's function builds."""

from __future__ import annotations

import contextlib
import copy
import inspect
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from dnnfast import losses
from dnnfast.models import Model
from dnnfast.sklearn import routing
from dnnfast.sklearn.base import NetEstimator, share_cores


def _no_arguments() -> None:
    """Stand for the function where a model is given: there are no arguments of it."""


# What a function that builds a model may ask for.
_META = (
    "X_dtype_",
    "X_shape_",
    "classes_",
    "feature_names_in_",
    "n_classes_",
    "n_features_in_",
    "n_outputs_",
    "n_outputs_expected_",
    "target_type_",
)
# What a compiled model has chosen already.
_COMPILED = ("optimizer", "loss", "metrics", "compile")


class WrappedNet(NetEstimator):
    """Building, compiling and training of models; see `KerasClassifier`."""

    _any_shape = True
    _routed: dict[str, Any]  # the parameters for parts, by name

    def _keep(self, own: dict[str, Any], others: dict[str, Any]) -> None:
        """Keep the arguments of a constructor, untouched, under their names."""
        own = {k: v for k, v in own.items() if k not in ("self", "parameters", "__class__")}
        self.__dict__.update(own, _routed=dict(others))
        self._check_names()

    def _check_names(self) -> None:
        if callable(self._function()):  # else it is to come
            name, own = type(self).__name__, self._get_param_names()
            routing.check_names(name, self._routed, self._function(), own)

    def __getattr__(self, name: str) -> Any:
        routed = self.__dict__.get("_routed", {})
        if name in routed:
            return routed[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @classmethod
    def _get_param_names(cls) -> list[str]:
        """Return the constructors' arguments; those of a subclass and of the wrapper itself."""
        names: set[str] = set()
        for base in cls.__mro__:
            if issubclass(base, WrappedNet) and "__init__" in vars(base):
                names |= routing.arguments_of(base.__init__)[0] - {"self"}
        return sorted(names)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return all parameters: the wrapper's own, and those for its parts.

        Args:
            deep: kept for scikit-learn.
        """
        params: dict[str, Any] = super().get_params(deep)
        return {**params, **self._routed}

    def set_params(self, **params: Any) -> Any:
        """Set parameters: the wrapper's own, or those for its parts.

        Args:
            **params: names and values.

        Raises:
            ValueError: if there is no such parameter.
        """
        names = self._get_param_names()
        super().set_params(**{k: v for k, v in params.items() if k in names})
        before = self._routed
        self._routed = {**before, **{k: v for k, v in params.items() if k not in names}}
        try:
            self._check_names()
        except ValueError:
            self._routed = before
            raise
        return self

    # Building.

    def _given(self) -> Any:
        """Return the model, or the function that builds it, or None."""
        both = [vars(self).get("build_fn"), vars(self).get("model")]
        given = next((value for value in both if value is not None), None)
        return getattr(self, "_keras_build_fn", None) if given is None else given

    def _function(self) -> Any:
        given = self._given()
        return _no_arguments if isinstance(given, Model) else given

    def _meta(self) -> dict[str, Any]:
        """Return what is known of the data, for the function that builds the model."""
        return {name: getattr(self, name) for name in _META if hasattr(self, name)}

    def _compile_arguments(self, units: int | None) -> dict[str, Any]:
        """Return the arguments of `Model.compile`."""
        params = self.get_params(deep=False)
        values = {part: params[part] for part in ("optimizer", "loss", "metrics")}
        values["optimizer"] = "rmsprop" if values["optimizer"] is None else values["optimizer"]
        found = {
            part: routing.made(part, value, routing.of_part(params, part))
            for part, value in values.items()
        }
        if found["loss"] is None and units is not None:
            found["loss"] = self._usual_loss(units)
        return {**found, **routing.of_part(params, "compile")}

    def _usual_loss(self, units: int) -> str:
        """Return the loss for a model of so many outputs that was given none."""
        raise NotImplementedError

    def _new_model(self, x: np.ndarray) -> Model:
        """Return a model to train, compiled."""
        name, given = type(self).__name__, self._given()
        self._check_names()
        if given is None:
            raise ValueError(f"{name}: pass a function that builds the model as `model`.")
        takes_compile_arguments = False
        if isinstance(given, Model):
            model = copy.deepcopy(given)
        elif callable(given):
            arguments = self._build_arguments(given)
            takes_compile_arguments = "compile_kwargs" in arguments
            model = given(**arguments)
        else:
            raise ValueError(f"{name}: model must be a function or a Model, got {given!r}.")
        if not isinstance(model, Model):
            raise TypeError(f"{name}: the function must return a Model, got {model!r}.")
        if not model.built:
            model.build((None, *x.shape[1:]))
        if len(model.outputs) != 1:
            raise ValueError(
                f"{name}: the model has {len(model.outputs)} outputs; expected one, with as many "
                "units as there are targets."
            )
        if not model.compiled:
            model.compile(**self._compile_arguments(model.output_shape[-1]))
        elif not takes_compile_arguments:
            self._refuse_without_effect(model)
        return model

    def _build_arguments(self, function: Any) -> dict[str, Any]:
        """Return the arguments of the function that builds the model."""
        params = self.get_params(deep=False)
        taken, any_other = routing.arguments_of(function)
        defaults = self._defaults()
        found: dict[str, Any] = {}
        for key, value in params.items():
            # One's own parameters count only if they were given: the function has its defaults.
            is_given = key in self._routed or value is not defaults.get(key)
            plain = "__" not in key and key not in ("model", "build_fn")
            free = (
                any_other
                and key in self._routed
                and key not in routing.for_method({key: value}, "fit")
            )
            if plain and is_given and (key in taken or free):
                found[key] = value
        if "meta" in taken:
            found["meta"] = self._meta()
        if "compile_kwargs" in taken:
            found["compile_kwargs"] = self._compile_arguments(None)
        if "params" in taken:
            found["params"] = params
        return {**found, **routing.of_part(params, "model")}

    @classmethod
    def _defaults(cls) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for base in reversed(cls.__mro__):
            if issubclass(base, WrappedNet) and "__init__" in vars(base):
                signature = inspect.signature(base.__init__)
                found |= {p.name: p.default for p in signature.parameters.values()}
        return found

    def _refuse_without_effect(self, model: Model) -> None:
        """Raise for parameters of `compile` if the function has compiled the model itself."""
        params = self.get_params(deep=False)
        taken = routing.arguments_of(self._function())[0]
        for key, value in params.items():
            part, _, rest = key.partition("__")
            if part not in _COMPILED or key in taken or (not rest and value is None):
                continue
            if key == "loss" and value == model.loss:
                continue
            raise ValueError(
                f"{type(self).__name__}: {key}={value!r} has no effect, as the function returned a "
                "compiled model. Let it take `compile_kwargs` and call "
                "model.compile(**compile_kwargs), or leave compiling to the wrapper."
            )

    # Training.

    def _learn_targets(self, y: Any, classes: Any) -> Any:
        """Learn the form of the targets."""
        raise NotImplementedError

    def _adjust(self) -> None:
        """Fit the form of the targets to the model, now that there is one."""

    def _targets(self, y: Any, what: str = "y") -> np.ndarray:
        """Return targets in the form that the model's loss takes."""
        raise NotImplementedError

    def _checks_of_targets(self) -> dict[str, Any]:
        return {}

    def _context(self) -> contextlib.AbstractContextManager[Any]:
        return contextlib.nullcontext() if self.random_state is None else self._seeds()

    def _prepare(self, x: Any, y: Any, fresh: bool, classes: Any = None) -> tuple[Any, Any]:
        """Check the data, and build a model for it if a fresh one is wanted."""
        share_cores()
        x, y = self._training_data(x, y, fresh, **self._checks_of_targets())
        if fresh:
            self._random = check_random_state(self.random_state)
            self.X_shape_, self.X_dtype_ = x.shape, x.dtype
            self._learn_targets(y, classes)
            with self._context():
                self.model_ = self._new_model(x)
            self._adjust()
            self.history_ = {}
        return x, y

    def _fit(
        self,
        x: Any,
        y: Any,
        sample_weight: Any,
        arguments: dict[str, Any],
        once: bool = False,
        classes: Any = None,
    ) -> Any:
        fresh = not (once or self.warm_start) or not hasattr(self, "model_")
        x, y = self._prepare(x, y, fresh, classes)
        params = self.get_params(deep=False)
        found = {**routing.for_method(params, "fit"), **arguments}
        weights = self._weights(sample_weight, x, y, found.pop("class_weight", None))
        found["callbacks"] = self._callbacks(found.get("callbacks"), params)
        if found.get("validation_data") is not None:
            found["validation_data"] = self._held_out(found["validation_data"])
        if once:
            found["epochs"] = arguments.get("epochs", 1)
        with self._context():
            history = self.model_.fit(x, self._targets(y), sample_weight=weights, **found)
        for name, values in history.history.items():
            self.history_.setdefault(name, []).extend(values)
        return self

    def _callbacks(self, callbacks: Any, params: dict[str, Any]) -> list[Any] | None:
        if callbacks is None:
            return None
        if not isinstance(callbacks, (list, tuple, dict)):
            callbacks = [callbacks]
        found = routing.made("callbacks", callbacks, routing.of_part(params, "callbacks"))
        return list(found.values()) if isinstance(found, dict) else found

    def _held_out(self, data: Any) -> Any:
        if not isinstance(data, (tuple, list)) or len(data) not in (2, 3):
            return data
        return (data[0], self._targets(np.asarray(data[1]), "y of validation_data"), *data[2:])

    def _predicted(self, x: Any, arguments: dict[str, Any]) -> np.ndarray:
        x = self._samples(x)
        params = self.get_params(deep=False)
        found = {"verbose": 0, **routing.for_method(params, "predict"), **arguments}
        outputs: np.ndarray = self.model_.predict(x, **found)
        return outputs

    def _loss(self) -> Any:
        """Return the loss of the model, an object."""
        return losses.get(self.model_.loss)
