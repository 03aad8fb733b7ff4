"""Objects whose configuration is their constructor's arguments, kept under the same names."""

from __future__ import annotations

import inspect
from typing import Any

from dnnfast.saving.objects import deserialize_keras_object, serialize_keras_object


class Configurable:
    """Gives `get_config` and `from_config` to classes that keep every argument as an attribute."""

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        parameters = list(inspect.signature(type(self).__init__).parameters.values())[1:]
        named = [p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
        # What a user's class keeps elsewhere it has to return itself.
        kept = [name for name in named if hasattr(self, name)]
        return {name: serialize_keras_object(getattr(self, name)) for name in kept}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Create the object from the result of `get_config`."""
        return cls(**{key: deserialize_keras_object(value) for key, value in config.items()})

    def __repr__(self) -> str:
        inner = ", ".join(f"{key}={value!r}" for key, value in self.get_config().items())
        return f"{type(self).__name__}({inner})"
