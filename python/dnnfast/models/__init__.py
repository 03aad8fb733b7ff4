"""Models."""

from dnnfast.models.model import Model
from dnnfast.models.sequential import Sequential

__all__ = ["Model", "Sequential"]
