"""What processes that train one model together agree on besides gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dnnfast.distribution.current import own_seed
from dnnfast.metrics import Metric

if TYPE_CHECKING:
    from dnnfast.distribution import DataParallel


def start_equal(model: Any, resolved: Any, group: DataParallel) -> None:
    """Give all processes the weights, the optimizer's state and the seeds of the first.

    Raises:
        ValueError: if a layer wants the moments of all processes' samples.
    """
    for layer in model._all_layers():
        if group.size > 1 and getattr(layer, "synchronized", False):
            raise ValueError(
                f"{layer.name}: synchronized=True is not supported with {group.size} processes; "
                "each normalizes by its own samples (synchronized=False)."
            )
    optimizer, program = model.optimizer, model._training_program(resolved)
    mine = [v.numpy() for v in model.variables], optimizer.get_weights()
    weights, state = group.of_first(mine)
    for variable, value in zip(model.variables, weights, strict=True):
        variable.assign(value)
    optimizer.set_weights(state)
    model._seed, model._passes, model._clock = group.of_first(
        (model._seed, model._passes, model._clock)
    )
    program.session.seed = own_seed(model._seed)


def average_state(model: Any, group: DataParallel) -> None:
    """Make what training changes besides trained weights the mean over the processes."""
    trained = {id(v) for v in model.trainable_weights}
    state = [v for v in model.weights if id(v) not in trained and v.dtype.startswith("float")]
    if not state:
        return
    values = [v.numpy() for v in state]
    means = group.sums(np.concatenate([np.ravel(v) for v in values])) / group.size
    ends = np.cumsum([v.size for v in values])
    for variable, old, mean in zip(state, values, np.split(means, ends[:-1]), strict=True):
        variable.assign(mean.reshape(old.shape))


def combined_logs(model: Any, resolved: Any, group: DataParallel) -> dict[str, Any]:
    """Return loss and metrics over the samples of all processes."""
    program = model._program_for(resolved)
    pairs = group.sums(np.asarray(program.session.sums)).reshape(-1, 2)
    means = [value / weight if weight else 0.0 for value, weight in pairs.tolist()]
    metrics: list[Metric] = [m.metric for m in resolved.metrics if m.keeps_state]
    if resolved.own_loss is not None:
        metrics += model._own_metrics()
    variables = [v for metric in metrics for v in metric.variables]
    own = [v.numpy() for v in variables]
    try:
        for variable, value in zip(variables, own, strict=True):
            variable.assign(group.sums(value))
        found: dict[str, Any] = resolved.logs(program, means)
        if resolved.own_loss is not None:
            found.update(model._results_of_own_metrics())
    finally:
        for variable, value in zip(variables, own, strict=True):
            variable.assign(value)
    return found
