"""A callback of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dnnfast.callbacks.callback import HOOKS, Callback
from dnnfast.errors import suggest

Hook = Callable[..., Any]


class LambdaCallback(Callback):
    """Calls the given functions at the hooks of their names.

    Args:
        on_epoch_begin: ``f(epoch, logs)``, as all with a number.
        on_epoch_end: the same.
        on_train_begin: ``f(logs)``, as all without a number.
        on_train_end: the same.
        on_train_batch_begin: ``f(batch, logs)``.
        on_train_batch_end: the same.
        **kwargs: other hooks of `Callback` by name.

    Raises:
        TypeError: if there is no hook of a name, or something cannot be called.

    Example:
        >>> import dnnfast
        >>> spy = dnnfast.callbacks.LambdaCallback(on_train_end=lambda logs: print("done"))
        >>> spy.on_train_end({})
        done
    """

    def __init__(
        self,
        on_epoch_begin: Hook | None = None,
        on_epoch_end: Hook | None = None,
        on_train_begin: Hook | None = None,
        on_train_end: Hook | None = None,
        on_train_batch_begin: Hook | None = None,
        on_train_batch_end: Hook | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        given = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **kwargs,
        }
        for name, function in given.items():
            if name not in HOOKS:
                raise TypeError(
                    f"LambdaCallback: there is no hook {name!r}. {suggest(name, HOOKS)}".rstrip()
                )
            if function is None:
                continue
            if not callable(function):
                raise TypeError(f"LambdaCallback: {name} must be a function, got {function!r}.")
            setattr(self, name, function)
