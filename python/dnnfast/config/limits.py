"""Caps on the length of a fit, for trying things out, and switches of tracebacks."""

from __future__ import annotations

_max_epochs: int | None = None
_max_steps: int | None = None
_filtering = True


def _checked(name: str, value: int | None) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name}: expected a positive integer or None, got {value!r}.")
    return value


def max_epochs() -> int | None:
    """Return the largest number of epochs that `fit` runs, or None.

    Example:
        >>> import dnnfast
        >>> dnnfast.config.max_epochs() is None
        True
    """
    return _max_epochs


def set_max_epochs(max_epochs: int | None) -> None:
    """Let `fit` run at most so many epochs, with a warning where that is fewer than asked for.

    Args:
        max_epochs: a positive integer, or None for no limit.

    Raises:
        ValueError: if it is something else.

    Example:
        >>> import dnnfast
        >>> dnnfast.config.set_max_epochs(2)
        >>> dnnfast.config.max_epochs()
        2
        >>> dnnfast.config.set_max_epochs(None)
    """
    global _max_epochs
    _max_epochs = _checked("set_max_epochs", max_epochs)


def max_steps_per_epoch() -> int | None:
    """Return the largest number of steps of an epoch, an evaluation or a prediction, or None.

    Example:
        >>> import dnnfast
        >>> dnnfast.config.max_steps_per_epoch() is None
        True
    """
    return _max_steps


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Let epochs, evaluations and predictions take at most so many steps, with a warning.

    Args:
        max_steps_per_epoch: a positive integer, or None for no limit.

    Raises:
        ValueError: if it is something else.

    Example:
        >>> import dnnfast
        >>> dnnfast.config.set_max_steps_per_epoch(10)
        >>> dnnfast.config.max_steps_per_epoch()
        10
        >>> dnnfast.config.set_max_steps_per_epoch(None)
    """
    global _max_steps
    _max_steps = _checked("set_max_steps_per_epoch", max_steps_per_epoch)


def enable_traceback_filtering() -> None:
    """Accepted for compatibility: tracebacks are short, nothing is filtered.

    Example:
        >>> import dnnfast
        >>> dnnfast.config.enable_traceback_filtering()
        >>> dnnfast.config.is_traceback_filtering_enabled()
        True
    """
    global _filtering
    _filtering = True


def disable_traceback_filtering() -> None:
    """Accepted for compatibility: tracebacks are short, nothing is filtered.

    Example:
        >>> import dnnfast
        >>> dnnfast.config.disable_traceback_filtering()
        >>> dnnfast.config.is_traceback_filtering_enabled()
        False
        >>> dnnfast.config.enable_traceback_filtering()
    """
    global _filtering
    _filtering = False


def is_traceback_filtering_enabled() -> bool:
    """Return what the switches were last set to; True at first.

    Example:
        >>> import dnnfast
        >>> dnnfast.config.is_traceback_filtering_enabled()
        True
    """
    return _filtering
