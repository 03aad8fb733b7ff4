"""Vectors for numbers of things."""

from __future__ import annotations

from typing import Any

from dnnfast import constraints, initializers, ops, regularizers
from dnnfast.layers.arguments import positive_int, single_input
from dnnfast.layers.base import Layer
from dnnfast.random.seed import is_whole
from dnnfast.saving.objects import serialize_keras_object


class Embedding(Layer):
    """Turns integers into vectors that are trained.

    Args:
        input_dim: how many integers there are: they lie in [0, input_dim).
        output_dim: length of a vector.
        embeddings_initializer: default ``"uniform"``, in [-0.05, 0.05].
        embeddings_regularizer: a penalty on the vectors, or None.
        embeddings_constraint: what they are mapped to after each step, or None.
        mask_zero: whether 0 means that there is nothing: then the mask says so. Default False.
        weights: the vectors to start with, an array of shape (input_dim, output_dim), or None.
        **kwargs: ``name``, ``trainable``, ``input_shape``.

    Raises:
        ValueError: if an argument is out of range.

    Formula: ``y[..., :] = embeddings[x[...], :]``. Models compute in float32, so integers up to
    2^24 are exact. In a model an integer that is out of range gives NaN.

    Example:
        >>> import dnnfast
        >>> layer = dnnfast.layers.Embedding(3, 2, weights=[[[0.0, 0.0], [1.0, 2.0], [3.0, 4.0]]])
        >>> layer([[1, 2]]).tolist()
        [[[1.0, 2.0], [3.0, 4.0]]]
    """

    input_dim: int
    output_dim: int

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("input_length", None)  # of older versions; the input says it
        for key in ("lora_rank", "lora_alpha", "quantization_config"):
            if kwargs.get(key) is None:
                kwargs.pop(key, None)
        super().__init__(**kwargs)
        what = f"Embedding {self.name!r}"
        for key, value in (("input_dim", input_dim), ("output_dim", output_dim)):
            if not is_whole(value):
                raise ValueError(f"{what}: {key} must be a positive integer, got {value!r}.")
            setattr(self, key, positive_int(what, key, value))
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = bool(mask_zero)
        self.supports_masking = self.mask_zero
        self.embeddings: Any = None
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, list) else [weights])

    def build(self, input_shape: Any = None) -> None:
        """Create the vectors."""
        if self.embeddings is None:
            self.embeddings = self.add_weight(
                (self.input_dim, self.output_dim),
                self.embeddings_initializer,
                regularizer=self.embeddings_regularizer,
                constraint=self.embeddings_constraint,
                name="embeddings",
            )

    def call(self, inputs: Any) -> Any:
        """Return the layer's output."""
        index = ops.cast(single_input(self, (inputs,)), "int32")
        return ops.take(self.embeddings, index, axis=0)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the output shape for an input shape (batch axis included)."""
        return (*input_shape, self.output_dim)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return where the integers are not 0, if ``mask_zero``."""
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "mask_zero": self.mask_zero,
            "quantization_config": None,
        }
        config["activity_regularizer"] = serialize_keras_object(self.activity_regularizer)
        for key in ("initializer", "regularizer", "constraint"):
            name = f"embeddings_{key}"
            config[name] = serialize_keras_object(getattr(self, name))
        return config
