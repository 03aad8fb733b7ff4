"""Settings that code written for Keras reads and sets."""

from __future__ import annotations

_image_data_format = "channels_last"


def backend() -> str:
    """Return the name of what computes, ``"dnnfast"``.

    Example:
        >>> import dnnfast
        >>> dnnfast.config.backend()
        'dnnfast'
    """
    return "dnnfast"


def set_backend(backend: str) -> None:
    """Accept ``"dnnfast"``, the only backend.

    Args:
        backend: its name.

    Raises:
        ValueError: for any other name.

    Example:
        >>> import dnnfast
        >>> dnnfast.config.set_backend("dnnfast")
    """
    if backend != "dnnfast":
        raise ValueError(
            f"set_backend: the only backend is 'dnnfast', got {backend!r}. To compute on another "
            "device use config.set_device."
        )


def image_data_format() -> str:
    """Return the order of axes of images, ``"channels_last"`` unless changed.

    Dense layers do not depend on it.

    Example:
        >>> import dnnfast
        >>> dnnfast.config.image_data_format()
        'channels_last'
    """
    return _image_data_format


def set_image_data_format(data_format: str) -> None:
    """Set what `image_data_format` returns.

    Args:
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Raises:
        ValueError: for anything else.

    Example:
        >>> import dnnfast
        >>> dnnfast.config.set_image_data_format("channels_last")
    """
    global _image_data_format
    folded = str(data_format).lower()
    if folded not in ("channels_last", "channels_first"):
        raise ValueError(
            "set_image_data_format: expected 'channels_last' or 'channels_first', got "
            f"{data_format!r}."
        )
    _image_data_format = folded


def enable_determinism() -> None:
    """Do nothing: the same seed always gives the same bits, whatever the number of threads.

    Example:
        >>> import dnnfast
        >>> dnnfast.config.enable_determinism()
    """


def is_nnx_enabled() -> bool:
    """Return False: there is no JAX underneath.

    Example:
        >>> import dnnfast
        >>> dnnfast.config.is_nnx_enabled()
        False
    """
    return False
