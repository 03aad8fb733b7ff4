"""One prediction: its arrays, its random bits, and its way through the engine."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from dnnfast import tree
from dnnfast.callbacks import CallbackList
from dnnfast.training.data import Given, arrays_of, structured
from dnnfast.training.device_arrays import native
from dnnfast.training.pacing import warn_of_end
from dnnfast.training.prefetch import END
from dnnfast.training.source_steps import first_of
from dnnfast.training.sources import ArraySource, Source, gives_batches, source_of
from dnnfast.training.steps import StepOptions

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
        self.model, self.program, self.session = model, program, program.session
        self.batch, self.samples = batch, samples
        self.steps = -(-rows // batch)
        self.results = model._results(program, rows, inputs)
        self.deviations = [] if samples is None else model._results(program, rows, inputs)
        self.dataset = program.dataset(inputs, [], [])
        # Pass after pass, as predicting so many times would number them.
        self.clock = model._advance_clock(self.steps * (samples or 1))

    def _run(self, begin: int, count: int) -> None:
        self.program.sync()  # a callback may have set weights
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

    def run_with(self, callbacks: Any, verbose: int) -> Any:
        """Predict with the hooks of callbacks, and return the results."""
        model, done, rows = self.model, 0, len(self.results[0])
        calls = _calls(model, callbacks, verbose, self.steps)
        hooks = calls.wants_batches("predict")
        chunk = 1 if hooks else max(1, _ROWS // (self.batch * (self.samples or 1)))
        model.stop_predicting = False
        calls.call("on_predict_begin", {})
        while done < self.steps and not model.stop_predicting:
            count = min(chunk, self.steps - done)
            if hooks:
                calls.call("on_predict_batch_begin", done, {})
            self._run(done, count)
            done += count
            if hooks:
                part = slice((done - 1) * self.batch, done * self.batch)
                calls.call("on_predict_batch_end", done - 1, {"outputs": self._packed(part)})
            calls.advance(done, min(done * self.batch, rows), dict)
        calls.call("on_predict_end", {})
        return self._packed(slice(0, done * self.batch))


def _calls(model: Any, callbacks: Any, verbose: int, steps: int | None) -> CallbackList:
    if isinstance(callbacks, CallbackList):
        return callbacks
    return CallbackList(
        callbacks, add_progbar=verbose > 0, model=model, verbose=verbose, steps=steps
    )


def predict_batches(
    model: Any, x: Any, options: StepOptions, callbacks: Any = None, verbose: int = 0
) -> Any:
    """Predict for batches that somebody else makes, or with steps that are the model's own.

    Args:
        model: the model.
        x: what gives batches, or arrays.
        options: how to cut arrays, and the number of steps.
        callbacks: those of the user.
        verbose: 0, 1 or 2.

    Raises:
        ValueError: if there is no batch.
    """
    given, limit = Given(x), options.per_epoch
    if gives_batches(x):
        source: Source = source_of(x)
    else:
        parts, rows = structured(model, given)
        source = ArraySource(parts, rows, options.batch_of(rows))
    calls = _calls(model, callbacks, verbose, limit or source.length)
    results: list[Any] = []
    with contextlib.closing(source):
        first_of(source, given, options)
        step = model._step_call("predict")
        model.stop_predicting, samples = False, 0
        calls.call("on_predict_begin", {})
        source.begin_epoch()
        source.begin_pass()
        source.allow(limit)
        while (limit is None or len(results) < limit) and not model.stop_predicting:
            if (batch := source.take()) is END:
                if limit is not None:
                    warn_of_end("prediction", len(results), limit)
                break
            number = len(results)
            calls.call("on_predict_batch_begin", number, {})
            results.append(step(arrays_of(batch)))
            calls.call("on_predict_batch_end", number, {"outputs": results[-1]})
            samples += len(tree.flatten(results[-1])[0])
            calls.advance(len(results), samples, dict)
        source.end_epoch()
        calls.call("on_predict_end", {})
    leaves = zip(*(tree.flatten(result) for result in results), strict=True)
    return tree.pack_sequence_as(results[0], [np.concatenate(parts) for parts in leaves])
