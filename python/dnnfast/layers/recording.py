"""How a layer's `call` is recorded, and what it adds to the loss."""

from __future__ import annotations

from typing import Any

from dnnfast import symbolic, tracing, tree


class RecordingMixin:
    """Runs `call` on symbolic tensors."""

    activity_regularizer: Any

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs from the inputs; subclasses override it."""
        raise NotImplementedError

    def _call_in_mode(self, args: tuple[Any, ...], kwargs: dict[str, Any], training: Any) -> Any:
        """Run `call`; one that tests `training` is recorded for both of its values."""
        if training is not tracing.AUTOMATIC:
            with tracing.calling(self, training):
                return self.call(*args, **kwargs)
        with tracing.recorder() as recorder, tracing.calling(self, training):
            try:
                outputs = self.call(*args, **kwargs)
            except tracing.BranchOnTrainingError:
                outputs = recorder
        if outputs is not recorder:
            tracing.keep(recorder)
            return outputs
        ways = []
        for mode in (True, False):
            with tracing.recorder() as found, tracing.calling(self, mode):
                ways.append((self.call(*args, **{**kwargs, "training": mode}), found))
        (yes, in_training), (no, otherwise) = ways
        with tracing.calling(self, training):
            tracing.keep_both(in_training, otherwise)
            return tree.map_structure(
                lambda a, b: a if a is b else symbolic.switch(a, b, samples=True), yes, no
            )

    def _regularize_activity(self, outputs: Any) -> None:
        if self.activity_regularizer is None:
            return
        for output in tree.flatten(outputs):
            tracing.add_loss(self.activity_regularizer(output))

    def add_loss(self, loss: Any) -> None:
        """Add a value to the loss of the model; call it in `call`.

        Args:
            loss: a number, or values by sample whose mean counts, of `dnnfast.ops`; or a list.

        Example:
            >>> import dnnfast as keras
            >>> class Sparse(keras.layers.Layer):
            ...     def call(self, x):
            ...         self.add_loss(0.01 * keras.ops.sum(keras.ops.abs(x)))
            ...         return x
            >>> model = keras.Sequential([keras.Input((2,)), Sparse(), keras.layers.Dense(1)])
            >>> model.compile("sgd", "mse")
        """
        for value in tree.flatten(loss):
            tracing.add_loss(value)
