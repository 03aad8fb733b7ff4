"""Models."""

from dnnfast.models.cloning import clone_model
from dnnfast.models.model import Model
from dnnfast.models.portable import model_from_json
from dnnfast.models.sequential import Sequential
from dnnfast.saving.files import load_model, save_model

__all__ = ["Model", "Sequential", "clone_model", "load_model", "model_from_json", "save_model"]
