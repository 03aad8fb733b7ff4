"""Products along any axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dnnfast import activations, constraints, initializers, ops, regularizers
from dnnfast.initializers import VarianceScaling
from dnnfast.layers.arguments import float_input, shape_tuple
from dnnfast.layers.base import Layer
from dnnfast.layers.input_spec import InputSpec
from dnnfast.saving.objects import serialize_keras_object

_SPARE = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class _Equation:
    """An equation such as ``"...x,xy->...y"`` for an input of a known shape, without its dots."""

    def __init__(self, where: str, equation: str, shape: Sequence[Any], output: Sequence[Any]):
        self.where, text = where, equation.replace(" ", "")
        try:
            left, (self.weight, right) = text.split(",")[0], text.split(",")[1].split("->")
        except (IndexError, ValueError):
            raise self._error(f"{equation!r} is not of the form 'ab,bc->ac'") from None
        if "." in self.weight or left.count("...") != right.count("..."):
            raise self._error(f"{equation!r}: dots must stand in the input and in the output")
        elided = len(shape) - len(left.replace(".", ""))
        if elided < 0 or (elided and "..." not in left):
            raise self._error(f"{equation!r} does not fit an input of shape {tuple(shape)}")
        spare = "".join([c for c in _SPARE if c not in text][:elided])
        self.left, self.right = left.replace("...", spare), right.replace("...", spare)
        self.spare = spare
        # The batch comes first, elided sizes are those of the input.
        self.sizes = dict(zip(self.left, shape, strict=True))
        known = iter(output)
        for letter in self.right[1:]:
            if letter not in spare:
                self._add(letter, next(known, None))
        if next(known, known) is not known:
            raise self._error(f"output_shape {tuple(output)} has more sizes than {right!r}")
        for letter in self.right:
            if letter not in self.left + self.weight:
                raise self._error(f"{letter!r} stands neither in the input nor in the kernel")

    def _add(self, letter: str, size: Any) -> None:
        before = self.sizes.get(letter)
        if size is not None and before not in (None, size):
            raise self._error(f"{letter!r} is {before} in the input and {size} in output_shape")
        if before is None:
            self.sizes[letter] = size

    def _error(self, what: str) -> ValueError:
        return ValueError(f"{self.where}: {what}.")

    @property
    def kernel_shape(self) -> tuple[int, ...]:
        """The sizes of the kernel."""
        unknown = [letter for letter in self.weight if self.sizes.get(letter) is None]
        if unknown:
            raise self._error(f"the sizes of {unknown} in the kernel {self.weight!r} are not known")
        return tuple(self.sizes[letter] for letter in self.weight)

    @property
    def fan_axes(self) -> tuple[list[int], list[int]]:
        """The axes of the kernel that count as inputs and as outputs."""
        axes = range(len(self.weight))
        outputs = [i for i in axes if self.weight[i] in self.right]
        return [i for i in axes if i not in outputs], outputs

    def bias_shape(self, bias_axes: str) -> tuple[int, ...]:
        """Return the sizes of the bias."""
        for letter in bias_axes:
            if letter not in self.right:
                raise self._error(f"bias_axes names {letter!r}, which is not in the output")
        start = min(self.right.index(letter) for letter in bias_axes)
        return tuple(self.sizes[c] if c in bias_axes else 1 for c in self.right[start:])

    @property
    def output_shape(self) -> tuple[int | None, ...]:
        """The full shape of the output."""
        return tuple(self.sizes[letter] for letter in self.right)


class EinsumDense(Layer):
    """A dense layer along any axes: a product given by an equation.

    Args:
        equation: such as ``"ab,bc->ac"`` (a `Dense` layer) or ``"...x,xy->...y"``: letters for the
            axes of input, kernel and output; dots stand for any number of axes.
        output_shape: the sizes of a sample of the output, without those that dots stand for; None
            for a size that the input gives.
        activation: a name, a function, a layer, or None for none.
        bias_axes: the letters of the output that the bias has, or None for no bias.
        kernel_initializer: default ``"glorot_uniform"``.
        bias_initializer: default ``"zeros"``.
        kernel_regularizer: a penalty on the kernel, or None.
        bias_regularizer: a penalty on the bias, or None.
        kernel_constraint: what the kernel is mapped to after each step, or None.
        bias_constraint: the same for the bias.
        **kwargs: ``name``, ``trainable``, ``activity_regularizer``, ``input_shape``.

    Raises:
        ValueError: if an argument is not known; when built, if the equation does not fit.

    Formula: ``y = activation(einsum(equation, x, kernel) + bias)``

    Example:
        >>> import dnnfast
        >>> layer = dnnfast.layers.EinsumDense("abc,cd->abd", (None, 8), bias_axes="d")
        >>> layer(dnnfast.Input((5, 3))).shape
        (None, 5, 8)
    """

    def __init__(
        self,
        equation: str,
        output_shape: Any,
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        for key in ("lora_rank", "lora_alpha", "quantization_config"):
            if kwargs.get(key) is None:
                kwargs.pop(key, None)
        super().__init__(**kwargs)
        self.equation = equation
        what = f"EinsumDense {self.name!r}: output_shape"
        self.partial_output_shape = shape_tuple(what, output_shape)
        self.bias_axes = bias_axes
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.kernel: Any = None
        self.bias: Any = None

    def _parsed(self, shape: Any) -> _Equation:
        where = f"EinsumDense {self.name!r}"
        return _Equation(where, self.equation, tuple(shape), self.partial_output_shape)

    def build(self, input_shape: Any) -> None:
        """Create kernel and bias."""
        parsed = self._parsed(input_shape)
        self.input_spec = InputSpec(ndim=len(input_shape))
        initializer = self.kernel_initializer
        if isinstance(initializer, VarianceScaling) and initializer.input_axes is None:
            inputs, outputs = parsed.fan_axes
            config = {**initializer.get_config(), "input_axes": inputs, "output_axes": outputs}
            initializer = type(initializer).from_config(config)
        self.kernel = self.add_weight(
            parsed.kernel_shape,
            initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        if self.bias_axes is not None:
            self.bias = self.add_weight(
                parsed.bias_shape(self.bias_axes),
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )

    def call(self, inputs: Any) -> Any:
        """Return the layer's output."""
        x = float_input(self, inputs)
        parsed = self._parsed(x.shape)
        y = ops.einsum(f"{parsed.left},{parsed.weight}->{parsed.right}", x, self.kernel)
        y = y if self.bias is None else ops.add(y, self.bias)
        return y if self.activation is None else self.activation(y)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the output shape for an input shape (batch axis included)."""
        return self._parsed(input_shape).output_shape

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = {
            **super().get_config(),
            "output_shape": self.partial_output_shape,
            "equation": self.equation,
            "activation": activations.serialize(self.activation),
            "bias_axes": self.bias_axes,
            "activity_regularizer": serialize_keras_object(self.activity_regularizer),
            "quantization_config": None,
        }
        for kind in ("initializer", "regularizer", "constraint"):
            for name in (f"kernel_{kind}", f"bias_{kind}"):
                config[name] = serialize_keras_object(getattr(self, name))
        return config
