"""The record of a training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dnnfast.callbacks.callback import Callback


class _Record(dict[str, list[Any]]):
    """Lists of values by name; the learning rate is found under both of its names."""

    def __missing__(self, key: str) -> list[Any]:
        other = {"lr": "learning_rate", "learning_rate": "lr"}.get(key)
        if other is None or other not in self:
            raise KeyError(key)
        return self[other]


class History(Callback):
    """Records the logs of each epoch; `fit` returns it.

    ``history`` holds a list of values for each name (``loss``, ``accuracy``, ``val_loss``, ...),
    ``epoch`` the numbers of the epochs, and ``epochs_of`` those of each name, which differ where
    validation does not follow each epoch.

    Example:
        >>> import dnnfast
        >>> dnnfast.callbacks.History().epoch
        []
    """

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: dict[str, list[Any]] = _Record()
        self.epochs_of: dict[str, list[int]] = {}

    def set_model(self, model: Any) -> None:
        """Receive the model, whose ``history`` this is from now on."""
        super().set_model(model)
        model.history = self

    def get_resume_state(self) -> dict[str, Any] | None:
        """Return the record so far."""
        return {"epoch": list(self.epoch), "history": {k: list(v) for k, v in self.history.items()}}

    def set_resume_state(self, state: dict[str, Any]) -> None:
        """Go on with the record of before an interruption."""
        self.epoch = list(state["epoch"])
        self.history = _Record((key, list(values)) for key, values in state["history"].items())

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start a new record."""
        self.epoch = []
        self.history = _Record()
        self.epochs_of = {}

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Record an epoch."""
        self.epoch.append(epoch)
        for key, value in (logs or {}).items():
            self.history.setdefault(key, []).append(value)
            self.epochs_of.setdefault(key, []).append(epoch)

    def plot(self, names: Sequence[str] | None = None, ax: Any = None, path: Any = None) -> Any:
        """Draw loss and metrics over epochs; see `plots.training_curves`.

        Args:
            names: quantities to draw, without ``val_``; default all.
            ax: axes of matplotlib, or a sequence of as many as there are quantities; default new
                ones.
            path: file to write; default None, only draw.

        Returns:
            The matplotlib figure.

        Raises:
            ImportError: if matplotlib is missing.
            ValueError: if nothing was recorded, or a name is not known.
        """
        from dnnfast.plots import training_curves

        return training_curves(self, names, ax, path)
