"""Models as data: JSON, the arguments of `compile`, and copies."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnnfast.layers.copying import Copying
from dnnfast.models.graph_copies import GraphPlan
from dnnfast.saving.objects import deserialize_keras_object, serialize_keras_object

if TYPE_CHECKING:
    from dnnfast.models.model import Model

# What belongs to this model's programs and identities, and is made anew for a copy.
_MADE_ANEW = ("_lowered", "_program", "_progress", "_signature", "_trainable_ids")


class PortableMixin(Copying):
    """What models can do to be stored, sent and copied."""

    _spec: Any
    _functional: Any

    def to_json(self, **kwargs: Any) -> str:
        """Return the model's structure, and what it was compiled with, as JSON; not its weights.

        Args:
            **kwargs: passed to ``json.dumps``, for example ``indent``.

        Raises:
            TypeError: if a layer's configuration is no plain data.

        Example:
            >>> import dnnfast as keras
            >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
            >>> model.to_json()[:47]
            '{"module": "keras", "class_name": "Sequential",'
        """
        return json.dumps(serialize_keras_object(self), **kwargs)

    def get_compile_config(self) -> dict[str, Any] | None:
        """Return the arguments of `compile` as plain data, or None if it was not called."""
        spec = self._spec
        if spec is None:
            return None
        names = ("optimizer", "loss", "loss_weights", "metrics", "weighted_metrics")
        arguments = {name: getattr(spec, name) for name in names}
        config: dict[str, Any] = serialize_keras_object(arguments)
        steps = {"steps_per_execution": spec.steps_per_execution}
        return {**config, "run_eagerly": False, **steps, "jit_compile": "auto"}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile with the result of `get_compile_config`; a subclass's own `compile` is left out.

        Args:
            config: the plain data.
        """
        from dnnfast.training.trainer import Trainer

        if type(self).compile is not Trainer.compile:  # type: ignore[attr-defined]
            warnings.warn(
                f"Model {self.name!r} was not compiled when it was loaded, because its class "  # type: ignore[attr-defined]
                "defines `compile`; define `compile_from_config(config)`, too, or call `compile`.",
                stacklevel=2,
            )
            return
        self.compile(**deserialize_keras_object(config))  # type: ignore[attr-defined]

    # Files.

    def save(
        self, filepath: Any, overwrite: bool = True, zipped: Any = None, **kwargs: Any
    ) -> None:
        """Save the model as a file; see `saving.save_model`.

        Args:
            filepath: ends in ``.keras``, in ``.h5``, or has no ending: Keras's format.
            overwrite: replace a file that is there; False: ask first. Default True.
            zipped: False: write a folder. Default True.
            **kwargs: ``include_optimizer``.

        Raises:
            ValueError: if the ending is another one.
            OSError: if the file cannot be written.
        """
        from dnnfast.saving.files import save_model

        save_model(self, filepath, overwrite, zipped, **kwargs)

    def save_weights(self, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
        """Save the weights and the optimizer's state as a file; see `saving.save_weights`.

        Args:
            filepath: ends in ``.weights.h5``, or in ``.h5`` for the older layout.
            overwrite: replace a file that is there; False: ask first. Default True.

        Raises:
            ValueError: if the model is not built, or the ending is another one.
            OSError: if the file cannot be written.
        """
        from dnnfast.saving.files import save_weights

        save_weights(self, filepath, overwrite, **kwargs)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Load weights and the optimizer's state from a file; see `saving.load_weights`.

        Args:
            filepath: of a file that `save_weights` or `save` or Keras wrote.
            skip_mismatch: leave out, with a warning, the layers that do not fit. Default False.
            **kwargs: ``by_name`` and ``objects_to_skip``.

        Raises:
            ValueError: if weights do not fit; the model is then as it was.
            OSError: if the file is damaged or missing.
        """
        from dnnfast.saving.files import load_weights

        load_weights(self, filepath, skip_mismatch, **kwargs)

    def fold_batch_normalization(self) -> Any:
        """Return a copy for prediction in which dense layers have absorbed batch normalizations.

        A `BatchNormalization` folds into the `Dense` layer without activation right before it, or
        else into the `Dense` layers that read it; one that has other neighbours stays. The copy
        predicts the same in fewer steps, is not compiled, and shares nothing with this model.

        Raises:
            ValueError: if this is no built `Sequential` or functional model.

        Formula: with ``a = gamma / sqrt(variance + epsilon)`` and ``c = beta - mean a``:
        ``a (x W + b) + c = x (W a) + (b a + c)`` before, ``(a x + c) W + b = x (a W) + (c W + b)``
        behind.

        Example:
            >>> import dnnfast as keras
            >>> layers = [keras.Input((4,)), keras.layers.Dense(8, use_bias=False)]
            >>> layers += [keras.layers.BatchNormalization(), keras.layers.ReLU()]
            >>> folded = keras.Sequential(layers).fold_batch_normalization()
            >>> [type(layer).__name__ for layer in folded.layers]
            ['Dense', 'ReLU']
        """
        from dnnfast.models.folding import fold_batch_normalization

        return fold_batch_normalization(self)

    def export(
        self,
        filepath: Any,
        format: str = "onnx",
        verbose: Any = None,
        input_signature: Any = None,
        *,
        fold: bool = False,
        **kwargs: Any,
    ) -> Path:
        """Write what the model predicts as an ONNX file, for any number of samples.

        Layers that are random in training only are left out; functions of `dnnfast.ops` and layers
        of one's own are included. It needs the package onnx.

        Args:
            filepath: name of the file; missing folders are created.
            format: only ``"onnx"``.
            verbose: accepted, as ``input_signature``; the inputs are the model's own.
            fold: whether batch normalizations are taken into dense layers first, see
                `fold_batch_normalization`. Default False.
            **kwargs: none is known.

        Returns:
            The path of the file.

        Raises:
            ImportError: if onnx is missing.
            TypeError: if an argument is not known.
            ValueError: if the model is not built, or a layer cannot be written, naming it: one that
                draws random numbers when it predicts.

        Example:
            >>> import dnnfast as keras
            >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "softmax")])
            >>> model.export("model.onnx")  # doctest: +SKIP
            PosixPath('model.onnx')
        """
        from dnnfast.exporting.onnx_file import export

        for key in kwargs:
            raise TypeError(f"export: unknown argument {key!r}.")
        return export(self, filepath, format, fold)

    # A copy has layers, weights, compilation and optimizer state of its own.

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        state.update({name: None for name in _MADE_ANEW if name in state})
        if "_array_calls" in state:
            state["_array_calls"] = {}
        if self._functional is not None:
            state["_functional"] = GraphPlan(self._functional)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if isinstance(self._functional, GraphPlan):
            self._functional = self._functional.graph()


def model_from_json(json_string: str, custom_objects: dict[str, Any] | None = None) -> Model:
    """Return a model of the structure that `Model.to_json` gave, with new weights.

    Args:
        json_string: the JSON, of dnnfast or of Keras.
        custom_objects: names of users' own classes and functions.

    Raises:
        TypeError: if a class or function is not known.
        ValueError: if it is no JSON.

    Example:
        >>> import dnnfast as keras
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        >>> keras.models.model_from_json(model.to_json()).count_params()
        15
    """
    model: Model = deserialize_keras_object(json.loads(json_string), custom_objects)
    return model
