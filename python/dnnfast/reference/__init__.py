"""The reference engine: every op in NumPy and float64, and a trainer that runs graphs with them.

It is the specification. The other engines are tested against it, and it against finite differences.
"""

from dnnfast.errors import NonFiniteLossError
from dnnfast.reference.activation import (
    ACTIVATIONS,
    activation_backward,
    activation_forward,
    erf,
    sigmoid,
    softplus,
)
from dnnfast.reference.array import (
    map_backward,
    map_forward,
    product_backward,
    product_forward,
    reduce_backward,
    reduce_forward,
)
from dnnfast.reference.array_index import (
    gather_backward,
    gather_forward,
    join_backward,
    join_forward,
    scan_backward,
    scan_forward,
    scatter_backward,
    scatter_forward,
    view_backward,
    view_forward,
)
from dnnfast.reference.batchnorm import (
    batchnorm_backward,
    batchnorm_forward,
    batchnorm_inference,
    batchnorm_inference_backward,
    batchnorm_update,
)
from dnnfast.reference.dataset import Dataset
from dnnfast.reference.dense import dense_backward, dense_forward, matmul
from dnnfast.reference.dropout import (
    dropout_backward,
    dropout_forward,
    dropout_mask,
    dropout_scale,
)
from dnnfast.reference.loss import LOSSES, loss_backward, loss_forward
from dnnfast.reference.merge import (
    add_backward,
    add_forward,
    concatenate_backward,
    concatenate_forward,
    reshape_backward,
    reshape_forward,
)
from dnnfast.reference.metric import METRICS, metric_rows
from dnnfast.reference.optimizer import (
    adam_step,
    nadam_step,
    nadam_u,
    rmsprop_step,
    sgd_step,
)
from dnnfast.reference.optimizer_rules import (
    adadelta_step,
    adagrad_step,
    adamax_step,
    adamw_step,
    ftrl_step,
    lion_step,
    schedule_free_adamw_step,
)
from dnnfast.reference.optimizer_state import OPTIMIZERS, clip_gradients
from dnnfast.reference.optimizer_whole import (
    adafactor_step,
    adafactor_velocity,
    lamb_step,
    muon_step,
    orthogonalize,
)
from dnnfast.reference.philox import philox
from dnnfast.reference.program import OPS
from dnnfast.reference.samples import sample_moments
from dnnfast.reference.session import Session
from dnnfast.reference.shapes import infer_shape, validate_graph
from dnnfast.reference.shuffle import shuffle
from dnnfast.reference.softmax import (
    glu_backward,
    glu_forward,
    log_softmax_backward,
    log_softmax_forward,
    softmax_backward,
    softmax_forward,
)
from dnnfast.reference.tape import Positions, erfinv, run_tape, uniform

__all__ = [
    "ACTIVATIONS",
    "LOSSES",
    "METRICS",
    "OPS",
    "OPTIMIZERS",
    "Dataset",
    "NonFiniteLossError",
    "Positions",
    "Session",
    "activation_backward",
    "activation_forward",
    "adadelta_step",
    "adafactor_step",
    "adafactor_velocity",
    "adagrad_step",
    "adam_step",
    "adamax_step",
    "adamw_step",
    "add_backward",
    "add_forward",
    "batchnorm_backward",
    "batchnorm_forward",
    "batchnorm_inference",
    "batchnorm_inference_backward",
    "batchnorm_update",
    "clip_gradients",
    "concatenate_backward",
    "concatenate_forward",
    "dense_backward",
    "dense_forward",
    "dropout_backward",
    "dropout_forward",
    "dropout_mask",
    "dropout_scale",
    "erf",
    "erfinv",
    "ftrl_step",
    "gather_backward",
    "gather_forward",
    "glu_backward",
    "glu_forward",
    "infer_shape",
    "join_backward",
    "join_forward",
    "lamb_step",
    "lion_step",
    "log_softmax_backward",
    "log_softmax_forward",
    "loss_backward",
    "loss_forward",
    "map_backward",
    "map_forward",
    "matmul",
    "metric_rows",
    "muon_step",
    "nadam_step",
    "nadam_u",
    "orthogonalize",
    "philox",
    "product_backward",
    "product_forward",
    "reduce_backward",
    "reduce_forward",
    "reshape_backward",
    "reshape_forward",
    "rmsprop_step",
    "run_tape",
    "sample_moments",
    "scan_backward",
    "scan_forward",
    "scatter_backward",
    "scatter_forward",
    "schedule_free_adamw_step",
    "sgd_step",
    "shuffle",
    "sigmoid",
    "softmax_backward",
    "softmax_forward",
    "softplus",
    "uniform",
    "validate_graph",
    "view_backward",
    "view_forward",
]
