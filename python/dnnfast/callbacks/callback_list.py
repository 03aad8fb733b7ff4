"""Calls the hooks of several callbacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dnnfast import tree
from dnnfast.callbacks.callback import HOOKS, Callback
from dnnfast.callbacks.history import History
from dnnfast.callbacks.progress import ProgbarLogger
from dnnfast.distribution.current import is_writer

_BATCH_HOOKS = {
    "train": (
        "on_train_batch_begin",
        "on_train_batch_end",
        "on_batch_begin",
        "on_batch_end",
    ),
    "test": ("on_test_batch_begin", "on_test_batch_end"),
    "predict": ("on_predict_batch_begin", "on_predict_batch_end"),
}


def _defines(callback: Any, hook: str) -> bool:
    """Tell whether a callback replaces a hook, in its class or on the object."""
    method = getattr(callback, hook, None)
    return method is not None and getattr(method, "__func__", method) is not getattr(Callback, hook)


class CallbackList(Callback):
    """The callbacks of a run, `History` last; its hooks call theirs.

    Args:
        callbacks: a callback, a list of them (lists inside are taken apart), or None. Of processes
            that train together only the first calls those whose attribute ``writes_files`` is true.
        add_history: add a `History` if there is none. Default False.
        add_progbar: add a `ProgbarLogger` if there is none. Default False.
        model: handed to the callbacks.
        **params: handed to the callbacks.

    Raises:
        TypeError: if something is not a callback.

    Example:
        >>> import dnnfast
        >>> dnnfast.callbacks.CallbackList([dnnfast.callbacks.History()]).wants_batches("train")
        False
    """

    # The hook that is being called, its arguments, and the place of the callback.
    running: tuple[str, tuple[Any, ...], int] | None = None

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        given = [c for c in tree.flatten(callbacks) if c is not None]
        for callback in given:
            if isinstance(callback, type):
                raise TypeError(
                    f"callbacks: {callback.__name__} is a class; write {callback.__name__}(...)."
                )
            if not hasattr(callback, "set_model"):
                raise TypeError(
                    f"callbacks: expected objects of callbacks.Callback, got "
                    f"{type(callback).__name__}."
                )
        if not is_writer():
            given = [c for c in given if not getattr(c, "writes_files", False)]
        progress = [c for c in given if isinstance(c, ProgbarLogger)]
        histories = [c for c in given if isinstance(c, History)]
        if not progress and add_progbar:
            progress = [ProgbarLogger()]
        if not histories and add_history:
            histories = [History()]
        self.progress: Any = progress[-1] if progress else None
        self.history: Any = histories[-1] if histories else None
        # What other callbacks add to the logs is shown and recorded.
        last = [*progress, *histories]
        self.callbacks = [c for c in given if c not in last] + last
        self.set_params(params)
        self.set_model(model)

    def set_params(self, params: dict[str, Any]) -> None:
        """Hand parameters to the callbacks."""
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        """Hand a model to the callbacks."""
        if model is None:
            return
        self._model = model
        for callback in self.callbacks:
            callback.set_model(model)

    def append(self, callback: Any) -> None:
        """Add a callback, before those that show and record the logs."""
        last = sum(isinstance(c, (History, ProgbarLogger)) for c in self.callbacks)
        self.callbacks.insert(len(self.callbacks) - last, callback)

    def wants_batches(self, what: str) -> bool:
        """Tell whether a callback replaces a batch hook of "train", "test" or "predict"."""
        return any(
            _defines(callback, hook) for callback in self.callbacks for hook in _BATCH_HOOKS[what]
        )

    def call(self, hook: str, *args: Any) -> None:
        """Call a hook of all callbacks."""
        around = self.running
        try:
            for place, callback in enumerate(self.callbacks):
                method = getattr(callback, hook, None)
                if method is not None:
                    self.running = (hook, args, place)
                    method(*args)
        finally:
            self.running = around

    def abandoned(self) -> None:
        """Let callbacks put back what they hold: training ends without its last hook."""
        for callback in self.callbacks:
            abandon = getattr(callback, "on_train_abandoned", None)
            if abandon is not None:
                abandon()

    def advance(self, steps: int, samples: int, logs: Callable[[], dict[str, Any]]) -> None:
        """Move the progress bar, if there is one and it is time."""
        if self.progress is not None:
            self.progress.advance(steps, samples, logs)

    def accepts_non_finite(self, batch: int, error: Exception) -> bool:
        """Tell callbacks that the loss is not finite, and whether one of them ends training."""
        takers = [getattr(callback, "on_non_finite_loss", None) for callback in self.callbacks]
        for taker in takers:
            if taker is not None:
                taker(batch, error)
        return any(taker is not None for taker in takers)

    def __iter__(self) -> Any:
        return iter(self.callbacks)


def _forwarded(hook: str) -> Any:
    numbered = "batch" in hook or "epoch" in hook

    def forward(self: CallbackList, *args: Any, logs: Any = None) -> None:
        if len(args) == (2 if numbered else 1):
            *args, logs = args  # type: ignore[assignment]
        self.call(hook, *args, {} if logs is None else logs)

    forward.__name__ = hook
    forward.__doc__ = getattr(Callback, hook).__doc__
    return forward


for _hook in HOOKS:
    setattr(CallbackList, _hook, _forwarded(_hook))
