"""Callbacks: hooks into training."""

from dnnfast.callbacks.callback import Callback
from dnnfast.callbacks.callback_list import CallbackList
from dnnfast.callbacks.history import History
from dnnfast.callbacks.progress import ProgbarLogger

__all__ = ["Callback", "CallbackList", "History", "ProgbarLogger"]
