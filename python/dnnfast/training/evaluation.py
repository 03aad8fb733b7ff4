"""Loss and metrics of a data set."""

from __future__ import annotations

import time
from typing import Any

from dnnfast.callbacks import CallbackList
from dnnfast.training.pacing import SECONDS_QUIET, Pacer, warn_of_end
from dnnfast.training.steps import Steps


class Evaluation:
    """Evaluates a model, once or after each epoch of training.

    Args:
        model: the model.
        steps: over the data.
    """

    def __init__(self, model: Any, steps: Steps) -> None:
        self.model, self.steps = model, steps
        self.limit = steps.options.per_epoch

    def run(self, callbacks: CallbackList | None = None) -> dict[str, float]:
        """Go through the data with the hooks of callbacks and return loss and metrics."""
        model, steps = self.model, self.steps
        callbacks = callbacks or CallbackList()
        model.stop_evaluating = False
        callbacks.call("on_test_begin", {})
        model.reset_metrics()
        done = 0
        if not steps.finished():
            steps.begin_epoch()
            hooks = callbacks.wants_batches("test")
            pacer = Pacer(SECONDS_QUIET)
            while (self.limit is None or done < self.limit) and steps.ready():
                most = steps.at_once() if self.limit is None else self.limit - done
                most = min(most, steps.at_once())
                count = min(most, model.steps_per_execution) if hooks else pacer.next(most)
                if hooks:
                    callbacks.call("on_test_batch_begin", done, {})
                start = time.perf_counter()
                steps.evaluate(count)
                pacer.took(count, time.perf_counter() - start)
                done += count
                if hooks:
                    callbacks.call("on_test_batch_end", done - 1, steps.logs())
                if model.stop_evaluating:
                    break
            steps.end_epoch()
        if not model.stop_evaluating and (done == 0 or done < (self.limit or 0)):
            warn_of_end("evaluation", done, self.limit)
        logs = steps.epoch_logs() if done else {}
        callbacks.call("on_test_end", logs)
        return logs
