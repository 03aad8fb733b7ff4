"""How a layer's `call` is recorded, and what it adds to the loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dnnfast import ops, stateless, symbolic, tracing, tree
from dnnfast.expressions import Expression


class RecordingMixin:
    """Runs `call` on symbolic tensors."""

    activity_regularizer: Any
    name: str
    built: bool
    trainable_variables: list[Any]
    non_trainable_variables: list[Any]
    _all_layers: Any
    _losses: list[Any]

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
            penalty = self.activity_regularizer(output)
            batch = symbolic.map_("batch", lambda: Expression("batch"), [], "float32", ())
            tracing.add_loss(ops.divide(penalty, batch))

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

    @property
    def losses(self) -> list[Any]:
        """What the last call on arrays added to the loss, and the penalties on weights."""
        added = [loss for layer in self._all_layers() for loss in layer._losses]
        penalties = [v.regularizer(v) for v in self.trainable_variables if v.regularizer]
        return [*added, *penalties]

    def stateless_call(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Call on arrays with other values of the variables, and change none of them.

        Args:
            trainable_variables: values for those of `trainable_variables`.
            non_trainable_variables: values for those of `non_trainable_variables`.
            *args: as in a call.
            return_losses: whether `losses` are returned, too. Default False.
            **kwargs: as in a call.

        Returns:
            The outputs, the new values of the non-trainable variables, and the losses.

        Raises:
            ValueError: if the layer is not built, or the number of values differs.

        Example:
            >>> import dnnfast as keras
            >>> layer = keras.layers.Dense(1, use_bias=False)
            >>> layer.build((None, 2))
            >>> outputs, rest = layer.stateless_call([[[3.0], [4.0]]], [], [[1.0, 1.0]])
            >>> outputs.tolist(), rest
            ([[7.0]], [])
        """
        if not self.built:
            raise ValueError(
                f"stateless_call: {self.name!r} is not built, so its variables do not exist. Call "
                "it on data or `build` it first."
            )
        pairs: list[tuple[Any, Any]] = []
        for what, values in (
            ("trainable_variables", trainable_variables),
            ("non_trainable_variables", non_trainable_variables),
        ):
            own = getattr(self, what)
            if len(own) != len(values):
                raise ValueError(
                    f"stateless_call: {self.name!r} has {len(own)} {what}, got {len(values)} "
                    "values."
                )
            pairs += zip(own, values, strict=True)
        with stateless.StatelessScope(pairs) as scope:
            outputs = self(*args, **kwargs)  # type: ignore[operator]
            losses = self.losses if return_losses else []
        state = [scope.get_current_value(v) for v in self.non_trainable_variables]
        return (outputs, state, losses) if return_losses else (outputs, state)
