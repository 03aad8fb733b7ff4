"""Calls the hooks of several callbacks."""

from __future__ import annotations

from typing import Any

from dnnfast.callbacks.callback import Callback
from dnnfast.callbacks.history import History
from dnnfast.callbacks.progress import ProgbarLogger

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


class CallbackList:
    """The callbacks of a run, `History` last.

    Args:
        callbacks: a callback or a list of them, or None.
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

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        given = callbacks if isinstance(callbacks, (list, tuple)) else [callbacks]
        self.callbacks = [callback for callback in given if callback is not None]
        for callback in self.callbacks:
            if isinstance(callback, type):
                raise TypeError(
                    f"callbacks: {callback.__name__} is a class; write {callback.__name__}(...)."
                )
            if not hasattr(callback, "set_model"):
                raise TypeError(
                    f"callbacks: expected objects of callbacks.Callback, got "
                    f"{type(callback).__name__}."
                )
        self.progress = self._take(ProgbarLogger)
        history = self._take(History)
        if self.progress is None and add_progbar:
            self.progress = ProgbarLogger()
        if history is None and add_history:
            history = History()
        self.history: Any = history
        self.callbacks += [c for c in (self.progress, history) if c is not None]
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)
            if model is not None:
                callback.set_model(model)

    def _take(self, cls: type) -> Any:
        found = [callback for callback in self.callbacks if isinstance(callback, cls)]
        self.callbacks = [callback for callback in self.callbacks if callback not in found]
        return found[-1] if found else None

    def wants_batches(self, what: str) -> bool:
        """Tell whether a callback replaces a batch hook of "train", "test" or "predict"."""
        return any(
            _defines(callback, hook)
            for callback in self.callbacks
            for hook in _BATCH_HOOKS[what]
            if not isinstance(callback, ProgbarLogger)
        )

    def call(self, hook: str, *args: Any) -> None:
        """Call a hook of all callbacks."""
        for callback in self.callbacks:
            method = getattr(callback, hook, None)
            if method is not None:
                method(*args)

    def __iter__(self) -> Any:
        return iter(self.callbacks)
