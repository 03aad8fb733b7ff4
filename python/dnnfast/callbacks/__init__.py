"""Callbacks: hooks into training."""

from dnnfast.callbacks.backup import BackupAndRestore
from dnnfast.callbacks.callback import Callback
from dnnfast.callbacks.callback_list import CallbackList
from dnnfast.callbacks.checkpoint import ModelCheckpoint
from dnnfast.callbacks.csv_logger import CSVLogger
from dnnfast.callbacks.early_stopping import EarlyStopping
from dnnfast.callbacks.functions import LambdaCallback
from dnnfast.callbacks.history import History
from dnnfast.callbacks.layer_monitor import LayerMonitor
from dnnfast.callbacks.learning_rates import LearningRateScheduler, ReduceLROnPlateau
from dnnfast.callbacks.one_cycle import OneCycle
from dnnfast.callbacks.progress import ProgbarLogger
from dnnfast.callbacks.rate_finder import LearningRateFinder
from dnnfast.callbacks.swap_ema import SwapEMAWeights
from dnnfast.callbacks.tensorboard import TensorBoard
from dnnfast.callbacks.terminate import TerminateOnNaN

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LayerMonitor",
    "LearningRateFinder",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "OneCycle",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
]
