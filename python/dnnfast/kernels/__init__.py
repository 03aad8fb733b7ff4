"""The fused native kernels one by one, on NumPy arrays, in float32.

Every function has a twin of the same signature in `dnnfast.reference` (NumPy, float64), so that
any kernel can be compared with its specification:

>>> import numpy as np
>>> import dnnfast
>>> x, w = np.ones((4, 3)), np.full((3, 2), 0.5)
>>> fast = dnnfast.kernels.dense_forward(x, w, activation="tanh")
>>> exact = dnnfast.reference.dense_forward(x, w, activation="tanh")
>>> bool(np.allclose(fast, exact, rtol=1e-6))
True

They run on the current device (`dnnfast.config.set_device`; on the CPU for "reference"). Arrays are
copied into the engine's padded layouts and back; inside a model they stay there. Where models run
on a GPU, float32 arrays of that GPU (CuPy, or with ``__cuda_array_interface__`` or DLPack) are
taken too, and the results are then arrays of CuPy: nothing goes through the host. For speed figures
use ``dnnfast bench``, which times the kernels on those layouts.
"""

from dnnfast.kernels.activation import activation_backward, activation_forward
from dnnfast.kernels.batchnorm import batchnorm_backward, batchnorm_forward, batchnorm_inference
from dnnfast.kernels.dense import dense_backward, dense_forward, matmul
from dnnfast.kernels.dropout import dropout_backward, dropout_forward, dropout_mask
from dnnfast.kernels.loss import loss_backward, loss_forward
from dnnfast.kernels.metric import metric_rows
from dnnfast.kernels.optimizer import adam_step, nadam_step, rmsprop_step, sgd_step
from dnnfast.kernels.optimizer_rules import (
    adadelta_step,
    adafactor_step,
    adagrad_step,
    adamax_step,
    adamw_step,
    ftrl_step,
    lamb_step,
    lion_step,
    muon_step,
    schedule_free_adamw_step,
)
from dnnfast.kernels.samples import sample_moments
from dnnfast.kernels.shuffle import shuffle
from dnnfast.kernels.softmax import (
    glu_backward,
    glu_forward,
    log_softmax_backward,
    log_softmax_forward,
    softmax_backward,
    softmax_forward,
)

__all__ = [
    "activation_backward",
    "activation_forward",
    "adadelta_step",
    "adafactor_step",
    "adagrad_step",
    "adam_step",
    "adamax_step",
    "adamw_step",
    "batchnorm_backward",
    "batchnorm_forward",
    "batchnorm_inference",
    "dense_backward",
    "dense_forward",
    "dropout_backward",
    "dropout_forward",
    "dropout_mask",
    "ftrl_step",
    "glu_backward",
    "glu_forward",
    "lamb_step",
    "lion_step",
    "log_softmax_backward",
    "log_softmax_forward",
    "loss_backward",
    "loss_forward",
    "matmul",
    "metric_rows",
    "muon_step",
    "nadam_step",
    "rmsprop_step",
    "sample_moments",
    "schedule_free_adamw_step",
    "sgd_step",
    "shuffle",
    "softmax_backward",
    "softmax_forward",
]
