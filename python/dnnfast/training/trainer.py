"""The training half of models: compile, fit, evaluate, predict."""

from __future__ import annotations

import contextlib
import warnings
from typing import Any

import numpy as np

from dnnfast.callbacks import CallbackList, History
from dnnfast.config.limits import max_epochs, max_steps_per_epoch
from dnnfast.config.settings import on_device, takes_device
from dnnfast.distribution import is_writer
from dnnfast.training import checks
from dnnfast.training.compiled import CompileSpec
from dnnfast.training.data import Given, split_tail, unpack
from dnnfast.training.evaluation import Evaluation
from dnnfast.training.fit import FitLoop, FitOptions
from dnnfast.training.inputs import prepare_inputs
from dnnfast.training.plan import Plan
from dnnfast.training.prediction import Prediction, predict_batches
from dnnfast.training.source_steps import steps_for
from dnnfast.training.sources import gives_batches
from dnnfast.training.stepping import SteppingMixin, as_result
from dnnfast.training.steps import EVALUATION_BATCH, StepOptions


class Trainer(SteppingMixin):
    """What models can do with data."""

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: Any = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Set what training does; it captures which weights are trainable.

        Args:
            optimizer: a name or an `Optimizer`. Default ``"rmsprop"``.
            loss: a name, a function, a `Loss`; a list or dict of them for several outputs.
            loss_weights: factors for the losses of several outputs.
            metrics: a list of names, functions, `Metric` objects; ``"accuracy"`` is resolved by the
                shapes; a list of lists or a dict for several outputs.
            weighted_metrics: as ``metrics``, for data without sample weights.
            run_eagerly: ignored, as are ``jit_compile`` and ``auto_scale_loss``: steps always run
                in native code.
            steps_per_execution: steps between two batch hooks of callbacks, at least 1; ``"auto"``
                is 1. Default 1.

        Raises:
            ValueError: if a name is not known.
        """
        spec = CompileSpec(optimizer, loss, loss_weights, metrics, weighted_metrics)
        if steps_per_execution != "auto":
            count = checks.at_least("steps_per_execution", steps_per_execution, 1)
            spec.steps_per_execution = count
        self._set_spec(spec)

    @takes_device
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
        *,
        resume: bool = False,
        device: str | None = None,  # taken by the decorator, as in the methods below
    ) -> History:
        """Train for some epochs.

        Args:
            x: samples: an array of any numeric type (of NumPy, pandas, or anything with
                ``__array__`` or DLPack; a memory map is read where it lies), or a list or dict of
                arrays. An array on a GPU (of CuPy, or with ``__cuda_array_interface__`` or DLPack)
                is read where it lies if the model runs on that GPU; so are targets and sample
                weights. Or what gives batches ``(x, y)`` or ``(x, y, sample_weight)``: a
                `utils.PyDataset`, a generator or iterator, a loader (such as PyTorch's); they are
                fetched by a thread ahead of their use.
            y: targets; a list, a dict by name, or nested as the outputs if there are several. An
                output whose target is None is left out of loss and metrics.
            batch_size: samples a step; default 32, or so many that ``steps_per_epoch`` go through
                all. What gives batches decides itself.
            epochs: number of the last epoch, default 1.
            verbose: 1 shows a bar, 2 a line per epoch, 0 nothing; "auto" chooses.
            callbacks: a list of `callbacks.Callback`.
            validation_split: share of the last samples that is kept for validation, in [0, 1).
            validation_data: ``(x, y)``, ``(x, y, sample_weight)``, or what gives batches.
            shuffle: whether each epoch takes the samples (or the batches of a `utils.PyDataset`) in
                a new order; ``"batch"`` changes the order within batches only. Default True.
            class_weight: dict of class numbers and weights; classes it lacks weigh 1.
            sample_weight: one weight a sample; a list or dict of such for several outputs.
            initial_epoch: number of the first epoch, default 0.
            steps_per_epoch: batches an epoch; default all. The next epoch goes on where the last
                one ended; where the data ends, the epoch does, with a warning.
            validation_steps: batches of validation; default all.
            validation_batch_size: default ``batch_size``, or 256 where it changes no result.
            validation_freq: validate every so many epochs, or after the listed ones (from 1).
            resume: go on where the model's last training stood, also of a model that was loaded:
                with the same epoch and step, order of the samples, callbacks and history. If the
                model was not trained yet and a `ModelCheckpoint` is among the callbacks, its newest
                file is loaded and gone on from. Without anything to go on from training begins.
                Default False.
            device: where to train, such as ``"cuda:0"``; default `config.device()`. The model goes
                back to that when it is used next without a device.

        Returns:
            The `History`.

        Raises:
            RuntimeError: if the model is not compiled.
            ValueError: if the data does not fit.
            TypeError: if the data is not numeric.
            NonFiniteLossError: if the loss becomes NaN or infinite; that step is not applied.
        """
        custom = self._steps_by_itself("train")
        spec = self._need_compiled("fit") if custom else self._need_loss("fit")
        options = FitOptions(
            _at_most("epochs", checks.at_least("epochs", epochs, 0), max_epochs()),
            checks.at_least("initial_epoch", initial_epoch, 0),
            checks.frequency(validation_freq),
            bool(resume),
        )
        cut = _step_options(batch_size, steps_per_epoch, shuffle)
        verbose = checks.verbosity(verbose) if is_writer() else 0
        given, held_out = Given(x, y, sample_weight, class_weight), None
        if validation_data is not None:
            held_out = unpack(validation_data, "validation_data")
        elif validation_split:
            given, held_out = split_tail(self, given, validation_split)
        with contextlib.ExitStack() as opened:
            steps = steps_for(self, given, cut, custom)
            opened.callback(steps.close)
            self._warn_if_changed(spec)
            validation = None
            if held_out is not None:
                cut = _step_options(validation_batch_size, validation_steps, None, "validation ")
                cut.resolved = steps.resolved
                validation = self._evaluation(held_out, cut, callbacks, batch_size)
                opened.callback(validation.steps.close)
            self._settle(steps.resolved)
            calls = callbacks
            if not isinstance(callbacks, CallbackList):
                calls = CallbackList(
                    callbacks,
                    add_history=True,
                    add_progbar=verbose > 0,
                    model=self,
                    verbose=verbose,
                    epochs=options.epochs,
                    steps=steps.per_epoch,
                )
            FitLoop(self, steps, options, calls, validation).run()
        found: History = calls.history or self.history
        return found

    @takes_device
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        *,
        device: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Return the loss, or a list of the loss and the metrics, of a data set.

        Args:
            x: samples, or what gives batches, as in `fit`.
            y: targets.
            batch_size: samples at once; it does not change the result. Default 256, and 32 (or by
                ``steps``) where callbacks count batches.
            verbose: 1 or 2 print a line; "auto" prints it on a terminal.
            sample_weight: one weight a sample.
            steps: number of batches; default all.
            callbacks: a list of `callbacks.Callback`.
            return_dict: return a dict by name.
            device: as in `fit`.

        Raises:
            RuntimeError: if the model is not compiled.
            ValueError: if the data does not fit.
            TypeError: if the data is not numeric.
        """
        for key in kwargs:
            raise TypeError(f"evaluate: unknown argument {key!r}.")
        cut = _step_options(batch_size, steps, None)
        evaluation = self._evaluation(Given(x, y, sample_weight), cut, callbacks)
        with contextlib.closing(evaluation.steps):
            self._settle(evaluation.steps.resolved)
            calls = callbacks
            if not isinstance(callbacks, CallbackList):
                shown = checks.shown(verbose) if is_writer() else 0
                count = evaluation.steps.per_epoch
                calls = CallbackList(
                    callbacks, add_progbar=shown > 0, model=self, verbose=shown, steps=count
                )
            logs = evaluation.run(calls)
        return as_result(logs, return_dict)

    @takes_device
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
        mc_samples: int | None = None,
        *,
        device: str | None = None,
    ) -> Any:
        """Return the outputs for samples, as float32 arrays.

        With ``mc_samples`` it is Monte Carlo dropout: the pair of the outputs' means and standard
        deviations over that many passes, in each of which every `Dropout` drops anew, while
        `BatchNormalization` predicts (with its moving statistics). What comes before the first
        dropout is computed once. Two calls draw different samples.

        Args:
            x: samples, or what gives batches, as in `fit`; of ``(x, y)`` the targets are ignored.
            batch_size: samples at once; it does not change the result but for the samples that
                dropout draws. Default 256.
            verbose: 1 or 2 show a bar or a line; "auto" shows a bar on a terminal.
            steps: number of batches; default all.
            callbacks: a list of `callbacks.Callback`.
            mc_samples: number of passes, at least 1; default None, one pass without dropout.
            device: as in `fit`.

        Returns:
            ``[n, *shape]``, or a list or dict of such for several outputs; with ``mc_samples`` a
            tuple ``(mean, deviation)`` of two of them. NumPy arrays, or arrays of CuPy where it is
            installed, ``x`` lies on a GPU and the model runs there.

        Raises:
            ValueError: if the data does not fit, or a number is not one of at least 1.
            TypeError: if the data is not numeric.

        Formula: ``mean = sum(y) / mc_samples``, ``deviation = sqrt(sum((y - mean)^2) /
        mc_samples)`` as `numpy.std`; Gal and Ghahramani, "Dropout as a Bayesian Approximation"
        (ICML 2016).

        Example:
            >>> import dnnfast as keras
            >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, "relu")])
            >>> model.add(keras.layers.Dropout(0.5))
            >>> model.add(keras.layers.Dense(3, "softmax"))
            >>> mean, deviation = model.predict([[1.0, 2.0, 3.0, 4.0]], mc_samples=100)
            >>> mean.shape, deviation.shape, round(float(mean.sum()), 3)
            ((1, 3), (1, 3), 1.0)
        """
        shown = checks.shown(verbose)
        if type(x) is np.ndarray and not shown and x.ndim and 0 < len(x) <= EVALUATION_BATCH:
            # Few rows, and nothing else wanted: the form that latency counts for.
            plain = batch_size is steps is callbacks is mc_samples is None
            if plain and not self._steps_by_itself("predict"):
                return self._call_on_arrays(x, False)
        cut = _step_options(batch_size, steps, None)
        samples = checks.optional("mc_samples", mc_samples)
        if gives_batches(x) or self._steps_by_itself("predict"):
            if samples is not None:
                raise ValueError(
                    "mc_samples needs x as an array, and no predict_step of one's own."
                )
            return predict_batches(self, x, cut, callbacks, shown)
        inputs = prepare_inputs(self, x)
        rows = self._rows_of(inputs)
        batch = cut.batch_of(rows) if callbacks or cut.per_epoch else batch_size or EVALUATION_BATCH
        if cut.per_epoch is not None:
            rows = min(rows, cut.per_epoch * batch)
            inputs = [array[:rows] for array in inputs]
        if rows <= batch and samples is None and not callbacks and not shown:
            return self._predict_at_once(inputs, False)
        prediction = Prediction(self, inputs, rows, batch, samples)
        return prediction.run_with(callbacks, shown) if callbacks or shown else prediction.run()

    def plan(
        self, batch_size: int = 32, program: str | None = None, device: str | None = None
    ) -> Plan:
        """Return how the model was compiled: its steps, with reasons, and its memory.

        Args:
            batch_size: default 32.
            program: ``"train"``, ``"evaluate"``, ``"predict"`` or ``"predict_samples"`` (that of
                ``predict(mc_samples=...)``). Default the first if the model is compiled, else
                ``"predict"``.
            device: default the current one. ``"cuda:described"`` shows the kernels of a GPU that
                need not be there.

        Raises:
            ValueError: if the model is not built, or there is no such device.
        """
        with on_device(device, "plan"):
            found = self._program_for()
        default = "train" if found.graph.losses else "predict"
        batch = checks.at_least("batch_size", batch_size, 1)
        return Plan(found.session, batch, program or default)

    def _evaluation(
        self, given: Given, cut: StepOptions, callbacks: Any, batch_size: int | None = None
    ) -> Evaluation:
        custom = self._steps_by_itself("test")
        if not custom:
            self._need_loss("evaluate")
        if cut.batch_size is None:
            calls = callbacks if isinstance(callbacks, CallbackList) else CallbackList(callbacks)
            counted = custom or cut.per_epoch is not None or calls.wants_batches("test")
            # Where nobody counts batches, any size gives the same result.
            cut.batch_size = batch_size if counted else max(batch_size or 0, EVALUATION_BATCH)
        return Evaluation(self, steps_for(self, given, cut, custom))

    def _settle(self, resolved: Any) -> None:
        """Compile for these losses and metrics now; errors come before the first hook."""
        if resolved is not None:
            self._resolved = resolved
            self._program_for(resolved)

    def _warn_if_changed(self, spec: CompileSpec) -> None:
        trainable = {id(v) for v in self.trainable_weights}  # type: ignore[attr-defined]
        if self._trainable_ids is not None and trainable != self._trainable_ids:
            warnings.warn(
                "`trainable` was changed after `compile`; it takes effect at the next `compile`.",
                UserWarning,
                stacklevel=3,
            )


def _at_most(name: str, value: int | None, limit: int | None) -> Any:
    """Return a number of epochs or steps, capped by what `config` allows."""
    if limit is None or (value is not None and value <= limit):
        return value
    warnings.warn(f"{name} is limited to {limit} by dnnfast.config.", UserWarning, stacklevel=4)
    return limit


def _step_options(
    batch_size: Any, per_epoch: Any, shuffle: Any, what: str = "", resolved: Any = None
) -> StepOptions:
    if shuffle not in (True, False, None, "batch"):
        raise ValueError(f'shuffle must be True, False or "batch", got {shuffle!r}.')
    per_epoch = checks.optional("validation_steps" if what else "steps", per_epoch)
    return StepOptions(
        checks.optional("batch_size", batch_size),
        _at_most("steps", per_epoch, max_steps_per_epoch()),
        shuffle,
        what,
        resolved,
    )
