"""The base class of callbacks."""

from __future__ import annotations

from typing import Any


class Callback:
    """Something that `fit`, `evaluate` and `predict` call at certain points; override the hooks.

    The hooks of one event share one mutable ``logs`` dict, and `History` reads it last. A callback
    may skip ``super().__init__()``. Set ``self.model.stop_training = True`` to end training.

    Example:
        >>> import dnnfast
        >>> class Printer(dnnfast.callbacks.Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         print(epoch, sorted(logs))
    """

    _model: Any = None
    params: dict[str, Any] = {}
    validation_data: Any = None  # old

    @property
    def model(self) -> Any:
        """The model that is being run."""
        return self._model

    def set_params(self, params: dict[str, Any]) -> None:
        """Receive ``epochs``, ``steps`` and ``verbose``."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Receive the model."""
        self._model = model

    def get_resume_state(self) -> dict[str, Any] | None:
        """Return what this callback needs to go on after an interruption, or None for nothing.

        It is saved with the model while `fit` runs: numbers, texts, arrays, and lists and dicts
        (whose keys are texts) of them.
        """
        return None

    def set_resume_state(self, state: dict[str, Any]) -> None:
        """Go on from what `get_resume_state` returned, after `on_train_begin`."""

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Before training."""

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """After training."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Before an epoch (from 0)."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """After an epoch; logs hold its loss, metrics and those of validation."""

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Before a training step (from 0 in each epoch)."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """After a training step; logs hold the epoch's means so far."""
        self.on_batch_end(batch, logs=logs)

    def on_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Old name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Old name of `on_train_batch_end`."""

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Before an evaluation, that of validation included."""

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """After an evaluation."""

    def on_test_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Before a batch of an evaluation."""

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """After a batch of an evaluation."""

    def on_predict_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Before a prediction."""

    def on_predict_end(self, logs: dict[str, Any] | None = None) -> None:
        """After a prediction."""

    def on_predict_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Before a batch of a prediction."""

    def on_predict_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """After a batch of a prediction."""


HOOKS = [name for name in vars(Callback) if name.startswith("on_")]
