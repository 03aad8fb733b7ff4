"""Building layers, and the shapes and masks of what they give."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from dnnfast import tracing, tree
from dnnfast.keras_tensor import KerasTensor
from dnnfast.layers.call_spec import CallSpec, ShapesByName
from dnnfast.layers.input_spec import check_inputs
from dnnfast.ops.values import is_float


def marking_built(build: Callable[..., None]) -> Callable[..., None]:
    """Wrap a class's own `build`, so that calling it directly counts, and only once."""
    signature = inspect.signature(build)

    @functools.wraps(build)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> None:
        around = tracing.current_layers()
        if around and around[-1] is self:
            build(self, *args, **kwargs)
        else:
            with tracing.calling(self, None, recording=False):
                build(self, *args, **kwargs)
        self.built = True
        if self._build_shapes is None:
            given = list(signature.bind(self, *args, **kwargs).arguments.items())[1:]
            if len(given) == 1:
                self._build_shapes = given[0][1]
            elif given:
                self._build_shapes = ShapesByName(given)

    return wrapper


def is_shape(value: Any) -> bool:
    """Tell whether this is the shape of one tensor, not a structure of them."""
    return isinstance(value, (list, tuple)) and all(n is None or isinstance(n, int) for n in value)


def map_shapes(function: Callable[[Any], Any], shapes: Any) -> Any:
    """Map over shapes that are nested in lists, tuples and dicts."""
    if isinstance(shapes, dict):
        return {key: map_shapes(function, value) for key, value in shapes.items()}
    if is_shape(shapes):
        return function(tuple(shapes))
    if isinstance(shapes, (list, tuple)):
        return type(shapes)(map_shapes(function, value) for value in shapes)
    return function(shapes)


class BuildingMixin:
    """Everything about shapes that layers and models share."""

    name: str
    built: bool
    input_spec: Any
    _build_shapes: Any
    _initial_weights: Any

    # Layers without weights are built from the start, unless a subclass has a `build`.
    _built_from_start = False
    _allow_non_tensor_positional_args = False
    _takes_list = False  # its first argument is a list of tensors
    # Arguments that may be arrays without a batch axis, when arrays are given.
    _shared_arguments: tuple[str, ...] = ()

    def build(self, input_shape: Any) -> None:
        """Create the weights; subclasses override it. Shapes include the batch axis."""
        self.built = True
        if self._build_shapes is None:
            self._build_shapes = input_shape

    @property
    def _call_signature(self) -> inspect.Signature:
        return inspect.signature(self.call)  # type: ignore[attr-defined]

    def _starts_built(self) -> bool:
        return self._built_from_start and type(self).build is BuildingMixin.build

    def _ensure_built(self, spec: CallSpec) -> None:
        if self.built:
            return
        self._build_with(spec.shapes_for(self.build))
        if self.input_spec is not None:
            check_inputs(self.input_spec, spec.first, self.name)

    def _build_with(self, shapes: Any) -> None:
        with tracing.calling(self, None, recording=False):
            if isinstance(shapes, ShapesByName):
                self.build(**shapes)
            else:
                self.build(shapes)
        self.built = True
        self._build_shapes = shapes
        if self._initial_weights is not None:
            self.set_weights(self._initial_weights)  # type: ignore[attr-defined]
            self._initial_weights = None

    def get_build_config(self) -> dict[str, Any] | None:
        """Return what `build_from_config` needs, or None if not built."""
        if self._build_shapes is None:
            return None
        if isinstance(self._build_shapes, ShapesByName):
            return {"shapes_dict": dict(self._build_shapes)}
        return {"input_shape": self._build_shapes}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build as another instance was."""
        if config.get("input_shape") is not None:
            self._build_with(map_shapes(lambda shape: shape, config["input_shape"]))
        elif config.get("shapes_dict"):
            shapes = map_shapes(lambda shape: shape, config["shapes_dict"])
            self._build_with(ShapesByName(shapes))

    # What a call would give.

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """Return the output shape for an input shape (batch axis included).

        Args:
            *args: the shape, or a list or dict of shapes.
            **kwargs: shapes by the names of `call`'s arguments, such as ``query_shape``.
        """
        if list(kwargs) == ["input_shape"]:
            args, kwargs = (kwargs["input_shape"],), {}
        tensors = [map_shapes(KerasTensor.of_batch, shape) for shape in args]
        named = {
            name.removesuffix("_shape"): map_shapes(KerasTensor.of_batch, shape)
            for name, shape in kwargs.items()
        }
        return tree.map_structure(lambda t: t.shape, self._traced(tensors, named))

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Return symbolic outputs of the right shape and type, which belong to no model."""
        own = type(self).compute_output_shape
        args, kwargs = tree.map_structure(tracing.with_batch, (args, kwargs))
        if self.built or own is BuildingMixin.compute_output_shape:
            outputs = self._traced(args, kwargs)
            # Floats are float32, whatever the layer's policy.
            return tree.map_structure(
                lambda t: KerasTensor(t.shape, "float32" if is_float(t.dtype) else t.dtype), outputs
            )
        given = {name: value for name, value in kwargs.items() if name != "training"}
        shapes = CallSpec(self, args, given).shapes_for(self.compute_output_shape)
        if isinstance(shapes, ShapesByName):
            return map_shapes(KerasTensor, self.compute_output_shape(**shapes))
        return map_shapes(KerasTensor, self.compute_output_shape(shapes))

    def _traced(self, args: Any, kwargs: Any) -> Any:
        with tracing.recorder(), tracing.calling(None, tracing.AUTOMATIC):
            return self(*args, **kwargs)  # type: ignore[operator]

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Return the mask of the outputs for that of the inputs; here the same."""
        return previous_mask

    @property
    def supports_masking(self) -> bool:
        """Whether masks of inputs lead to masks of outputs (by `compute_mask`); may be set."""
        found = self.__dict__.get("_supports_masking")
        if found is None:
            return type(self).compute_mask is not BuildingMixin.compute_mask
        return bool(found)

    @supports_masking.setter
    def supports_masking(self, value: bool) -> None:
        self.__dict__["_supports_masking"] = bool(value)
