"""Packages that dnnfast uses but does not require: the extras of its installation."""

from __future__ import annotations

import importlib
from typing import Any


def need(module: str, what: str, extra: str) -> Any:
    """Import and return a module of an extra.

    Args:
        module: its name, for example ``"optuna"``.
        what: what of dnnfast needs it, for the message.
        extra: the name of the extra that installs it.

    Raises:
        ImportError: if it is not installed, saying how to install it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        name = {"sklearn": "scikit-learn"}.get(module.partition(".")[0], module.partition(".")[0])
        raise ImportError(
            f"{what} needs {name}, which cannot be imported ({error}): "
            f"pip install 'dnnfast[{extra}]'"
        ) from error
