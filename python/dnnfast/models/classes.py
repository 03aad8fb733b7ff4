"""The classes that serialized models name."""

from dnnfast.models.model import Model
from dnnfast.models.sequential import Sequential

Functional = Model

__all__ = ["Functional", "Model", "Sequential"]
