"""One prediction: its arrays, its random bits, and its way through the engine."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast.callbacks import CallbackList
from dnnfast.training.device_arrays import native

# Rows between two looks at Ctrl-C.
_ROWS = 1 << 16


class Prediction:
    """The outputs of a model for arrays, or their mean and deviation over stochastic passes.

    Args:
        model: the model.
        inputs: arrays that fit it.
        rows: samples in them.
        batch: samples at once.
        samples: number of passes with active dropout; None for one plain prediction.
    """

    def __init__(
        self, model: Any, inputs: list[np.ndarray], rows: int, batch: int, samples: int | None
    ) -> None:
        program = model._program_for()
        self.model, self.session = model, program.session
        self.batch, self.samples = batch, samples
        self.steps = -(-rows // batch)
        self.results = model._results(program, rows, inputs)
        self.deviations = [] if samples is None else model._results(program, rows, inputs)
        self.dataset = program.dataset(inputs, [], [])
        # Pass after pass, as predicting so many times would number them.
        self.clock = model._advance_clock(self.steps * (samples or 1))

    def _run(self, begin: int, count: int) -> None:
        arguments = (self.dataset, begin, count, self.batch, native(self.results))
        if self.samples is None:
            self.session.predict(*arguments, False, self.clock + begin)
        else:
            self.session.predict_samples(
                *arguments, native(self.deviations), self.samples, self.clock + begin, self.steps
            )

    def _packed(self, rows: slice) -> Any:
        """Return some rows of the results: the outputs, or the pair of mean and deviation."""
        packed = self.model._packed([array[rows] for array in self.results])
        if self.samples is None:
            return packed
        return packed, self.model._packed([array[rows] for array in self.deviations])

    def run(self) -> Any:
        """Predict and return the results."""
        chunk = max(1, _ROWS // (self.batch * (self.samples or 1)))
        for begin in range(0, self.steps, chunk):
            self._run(begin, min(chunk, self.steps - begin))
        return self._packed(slice(None))

    def run_with(self, callbacks: Any) -> Any:
        """Predict batch by batch with the hooks of callbacks, and return the results."""
        calls = CallbackList(callbacks, model=self.model, verbose=0, steps=self.steps)
        calls.call("on_predict_begin", {})
        for step in range(self.steps):
            calls.call("on_predict_batch_begin", step, {})
            self._run(step, 1)
            part = slice(step * self.batch, (step + 1) * self.batch)
            calls.call("on_predict_batch_end", step, {"outputs": self._packed(part)})
        calls.call("on_predict_end", {})
        return self._packed(slice(None))
