"""Models."""

from __future__ import annotations

from typing import Any

from dnnfast.models.cloning import clone_model
from dnnfast.models.model import Model
from dnnfast.models.portable import model_from_json
from dnnfast.models.sequential import Sequential

# Loaded on first use: reading and writing files needs what `import dnnfast` does not.
_FILES = ("load_model", "save_model")


def __getattr__(name: str) -> Any:
    if name in _FILES:
        from dnnfast.saving import files

        return getattr(files, name)
    raise AttributeError(f"module 'dnnfast.models' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_FILES})


__all__ = ["Model", "Sequential", "clone_model", "load_model", "model_from_json", "save_model"]
