"""Single steps of a model: on a batch, and as methods that a subclass can override."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from dnnfast.metrics import Metric
from dnnfast.training.data import Given, prepare
from dnnfast.training.inspection import gradients
from dnnfast.training.programs import ProgramsMixin
from dnnfast.training.steps import totals
from dnnfast.training.targets import split_by_output
from dnnfast.utils.py_dataset import unpack_x_y_sample_weight


class Reported:
    """The running mean of something that the engine measures; `Model.metrics` lists them."""

    def __init__(self, model: Any, name: str) -> None:
        self._model, self.name = model, name

    def result(self) -> float:
        """Return the mean so far."""
        return float(self._model._engine_results().get(self.name, 0.0))

    def reset_state(self) -> None:
        """Start all means of the engine again."""
        self._model._reset_totals()

    def __repr__(self) -> str:
        return f"<{self.name}: {self.result():g}>"


class SteppingMixin(ProgramsMixin):
    """Steps, and what they report."""

    # Losses and metrics that were last computed.
    _resolved: Any = None

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Do one step and return its loss and metrics.

        Args:
            x: samples.
            y: targets.
            sample_weight: one weight a sample.
            class_weight: dict of class numbers and weights.
            return_dict: return a dict by name.

        Raises:
            RuntimeError: if the model is not compiled.
            ValueError: if the data does not fit.
            TypeError: if the data is not numeric.
            NonFiniteLossError: if the loss is not finite; the step is not applied.
        """
        self._need_loss("train_on_batch")
        self.reset_metrics()
        given = Given(x, y, sample_weight, class_weight)
        return as_result(self._one_step(given, True), return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Return loss and metrics of a batch.

        Args:
            x: samples.
            y: targets.
            sample_weight: one weight a sample.
            return_dict: return a dict by name.

        Raises:
            RuntimeError: if the model is not compiled.
            ValueError: if the data does not fit.
            TypeError: if the data is not numeric.
        """
        self._need_loss("test_on_batch")
        self.reset_metrics()
        return as_result(self._one_step(Given(x, y, sample_weight), False), return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """Return the outputs for samples, computed in one batch."""
        return self._call_on_arrays(x, False)

    def gradients(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None
    ) -> dict[str, np.ndarray]:
        """Return the gradients of the loss on a batch, in training mode, without a step.

        Args:
            x: samples.
            y: targets.
            sample_weight: one weight a sample.
            class_weight: dict of class numbers and weights.

        Returns:
            One array for each trained variable, by its path, before any clipping and with those of
            the penalties.

        Raises:
            RuntimeError: if the model is not compiled.
            ValueError: if the data does not fit.

        Example:
            >>> import dnnfast as keras
            >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, name="line")])
            >>> model.compile("sgd", "mse")
            >>> model.set_weights([[[0.0]], [0.0]])
            >>> model.gradients([[1.0]], [[2.0]])["line/kernel"].tolist()
            [[-4.0]]
        """
        self._need_loss("gradients")
        return gradients(self, prepare(self, Given(x, y, sample_weight, class_weight)))

    # Steps that a subclass can override; `fit` then takes them one by one.

    def train_step(self, data: Any) -> dict[str, Any]:
        """Take one optimizer step and return loss and metrics since they were reset.

        A subclass may override it, change the data, call ``super().train_step(data)`` and add to
        what that returns; `fit` then calls it for every batch.

        Args:
            data: ``x``, ``(x, y)`` or ``(x, y, sample_weight)``.

        Example:
            >>> import dnnfast as keras, numpy
            >>> class Doubled(keras.Sequential):
            ...     def train_step(self, data):
            ...         x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
            ...         return super().train_step((2 * x, y, weight))
            >>> model = Doubled([keras.Input((3,)), keras.layers.Dense(1)])
            >>> model.compile("sgd", "mse")
            >>> sorted(model.train_step((numpy.ones((4, 3)), numpy.ones((4, 1)))))
            ['loss']
        """
        return self._one_step(Given(*unpack_x_y_sample_weight(data)), True)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Return loss and metrics since they were reset, this batch included.

        Args:
            data: ``x``, ``(x, y)`` or ``(x, y, sample_weight)``.
        """
        return self._one_step(Given(*unpack_x_y_sample_weight(data)), False)

    def predict_step(self, data: Any) -> Any:
        """Return the outputs for a batch.

        Args:
            data: ``x``, or a tuple that begins with it.
        """
        return self._call_on_arrays(unpack_x_y_sample_weight(data)[0], False)

    def make_train_function(self, force: bool = False) -> Any:
        """Return a function that takes an iterator and trains on its next batch.

        Args:
            force: ignored; the function is made anew each time.
        """
        self.train_function = lambda iterator: self.train_step(next(iterator))
        return self.train_function

    def make_test_function(self, force: bool = False) -> Any:
        """Return a function that takes an iterator and evaluates its next batch."""
        self.test_function = lambda iterator: self.test_step(next(iterator))
        return self.test_function

    def make_predict_function(self, force: bool = False) -> Any:
        """Return a function that takes an iterator and predicts for its next batch."""
        self.predict_function = lambda iterator: self.predict_step(next(iterator))
        return self.predict_function

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the loss of predictions, without penalties.

        A subclass may override it, with `dnnfast.ops`: it is recorded once and runs natively. It
        may call ``super().compute_loss(...)`` and update metrics of its own.

        Args:
            x: ignored; for subclasses.
            y: targets.
            y_pred: predictions, as the model returns them.
            sample_weight: one weight a sample.
            training: ignored; for subclasses.
        """
        outputs = self._outputs()
        names, structure = outputs.names, self._structure_of_outputs()
        parts = {"y": y, "y_pred": y_pred, "sample_weight": sample_weight}
        split = {key: split_by_output(v, names, key, structure) for key, v in parts.items()}
        if sample_weight is not None and not isinstance(sample_weight, (list, tuple, dict)):
            split["sample_weight"] = [sample_weight] * len(names)
        spec = copy.copy(self._need_compiled("compute_loss"))
        spec.own_loss = None
        total: Any = 0.0
        for i, loss, weight in spec.resolve(outputs, None).losses:
            if split["y"][i] is not None:
                value = loss(split["y"][i], split["y_pred"][i], split["sample_weight"][i])
                total = total + weight * value
        return total

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        """Return the results of all metrics; the engine has added this batch to its own.

        A subclass may override it to update metrics of its own and add their results.

        Args:
            x: samples.
            y: targets.
            y_pred: predictions for them.
            sample_weight: one weight a sample, or None.
        """
        return self.get_metrics_result()

    # What is reported.

    @property
    def metrics(self) -> list[Any]:
        """The metrics: loss and what `compile` was given, then those kept as attributes."""
        reported = [Reported(self, name) for name in self._engine_results()]
        return [*reported, *self._own_metrics()]

    def get_metrics_result(self) -> dict[str, Any]:
        """Return the results of `metrics` by name."""
        results: dict[str, Any] = {}
        for metric in self.metrics:
            value = metric.result()
            results.update(value if isinstance(value, dict) else {metric.name: value})
        return results

    def reset_metrics(self) -> None:
        """Start the means of all metrics again."""
        self._reset_totals()
        for metric in self.metrics:
            if not isinstance(metric, Reported):
                metric.reset_state()

    def _reset_totals(self) -> None:
        if self._program is not None:
            self._program.session.reset_totals()
        if self._resolved is not None:
            self._resolved.reset()

    def _engine_results(self) -> dict[str, float]:
        """Return what the engine has measured, by name."""
        spec = self._spec
        if spec is None or (spec.loss is None and spec.own_loss is None):
            return {}
        if self._resolved is None or self._program is None:
            return dict.fromkeys(self.metrics_names, 0.0)
        return totals(self, self._resolved)

    def _own_metrics(self) -> list[Metric]:
        return list(self._attributes_of(Metric))  # type: ignore[attr-defined]

    # Inside.

    def _one_step(self, given: Given, training: bool) -> dict[str, Any]:
        data = prepare(self, given)
        self._resolved = data.resolved
        find = self._training_program if training else self._program_for
        program = find(data.resolved)
        measured = self._overrides("compute_metrics")
        predicted = None
        if measured:  # before the step changes the weights, with the same random bits
            clock = program.session.iterations
            results = program.session.predict_batch(data.inputs, training, clock)
            predicted = self._packed(results)
        if training:
            bound = data.bound_to(program)
            program.train(self.optimizer, bound, None, 0, 1, data.rows)
        else:
            program.evaluate(data.bound_to(program), 0, 1, data.rows)
        logs = totals(self, data.resolved)
        if not measured:
            return {**logs, **self._results_of_own_metrics()}
        parts = (given.x, given.y, predicted, given.sample_weight)
        return dict(self.compute_metrics(*parts))

    def _results_of_own_metrics(self) -> dict[str, Any]:
        return {metric.name: metric.result() for metric in self._own_metrics()}

    def _overrides(self, name: str) -> bool:
        """Tell whether a method is not this class's own."""
        method = getattr(self, name)
        return getattr(method, "__func__", method) is not getattr(SteppingMixin, name)

    def _steps_by_itself(self, what: str) -> bool:
        """Tell whether "train", "test" or "predict" goes through a method of a subclass."""
        names = [f"{what}_step", f"make_{what}_function"]
        if what != "predict":
            names += ["compute_metrics"]
        return any(self._overrides(name) for name in names)

    def _step_call(self, what: str) -> Any:
        """Return the function that takes a step of "train", "test" or "predict"."""
        if not self._overrides(f"make_{what}_function"):
            return getattr(self, f"{what}_step")
        made = getattr(self, f"make_{what}_function")()
        function = made if made is not None else getattr(self, f"{what}_function")
        return lambda batch: function(iter([batch]))


def as_result(logs: dict[str, Any], return_dict: bool) -> Any:
    """Return logs as `evaluate` does: a dict, a list, or a number if there is only one."""
    if return_dict:
        return logs
    values = list(logs.values())
    return values[0] if len(values) == 1 else values
