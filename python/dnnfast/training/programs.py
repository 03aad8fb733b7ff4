"""Which program a model runs: traced, lowered and compiled when needed, and replaced when stale."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from dnnfast import graph as ir
from dnnfast import random, stateless, tracing, tree
from dnnfast.config import settings
from dnnfast.distribution.current import own_seed
from dnnfast.keras_tensor import KerasTensor
from dnnfast.lowering import Lowered, lower
from dnnfast.training.arrays import count_of
from dnnfast.training.compiled import CompileSpec, Outputs
from dnnfast.training.device_arrays import DeviceArray, empty_like_given, native
from dnnfast.training.eager import ArrayCall, forget_losses
from dnnfast.training.inputs import prepare_inputs
from dnnfast.training.objective import Resolved
from dnnfast.training.program import Program

# Training numbers its random bits from 0 by the optimizer's iterations; predictions start here.
_PREDICTION_CLOCK = 1 << 62


class ProgramsMixin:
    """Turns a model into programs."""

    name: str
    built: bool
    _functional: Any

    def _init_trainer(self) -> None:
        self.optimizer: Any = None
        self.history: Any = None
        self.stop_training = self.stop_evaluating = self.stop_predicting = False
        self._initial_epoch: int | None = None  # where a callback says that `fit` begins
        self._progress: Any = None  # where the last `fit` stands, also of a loaded model
        self.output_names: list[str] = []
        self._spec: CompileSpec | None = None
        self._seed = random.next_seed()
        self._passes = 0  # over training data so far; numbers the shuffles
        self._clock = 0  # batches predicted so far; numbers the random bits of always-on dropout
        # Of a model that is not functional: what its inputs were when it first met data.
        self._input_structure: Any = None
        self._output_structure: Any = None
        self._trainable_ids: set[int] | None = None
        self._array_calls: dict[Any, ArrayCall | None] = {}
        self._lowered: Lowered | None = None
        self._program: Program | None = None
        self._signature: Any = None

    def _drop_programs(self) -> None:
        """Forget everything that depends on the structure."""
        if "_program" in self.__dict__:
            self._lowered = self._program = self._signature = None
            self._input_structure = self._output_structure = None
            self._array_calls = {}

    @property
    def compiled(self) -> bool:
        """Whether `compile` was called."""
        return self._spec is not None

    @property
    def loss(self) -> Any:
        """The loss given to `compile`."""
        return self._spec.loss if self._spec is not None else None

    @property
    def metrics_names(self) -> list[str]:
        """The names of what `evaluate` returns."""
        if self._spec is None or not self.built:
            return []
        return self._spec.resolve(self._outputs(), None).log_names

    def _set_spec(self, spec: CompileSpec) -> None:
        if self.built and self._input_tensors() is not None:
            outputs = self._fresh_outputs()
            spec.resolve(outputs, None)
        if self._overrides("compute_loss"):  # type: ignore[attr-defined]
            spec.own_loss = self.compute_loss  # type: ignore[attr-defined]
        self._spec = spec
        self.optimizer = spec.optimizer
        self._program = self._signature = None

    def _fresh_outputs(self) -> Outputs:
        """Trace again, so that what changed since the last time takes effect."""
        self._lowered, self._array_calls = None, {}
        return self._outputs()

    @property
    def steps_per_execution(self) -> int:
        """Steps between two batch hooks of callbacks, as given to `compile`."""
        return 1 if self._spec is None else self._spec.steps_per_execution

    def _need_compiled(self, what: str) -> CompileSpec:
        if self._spec is None:
            raise RuntimeError(
                f"{what}: model {self.name!r} is not compiled; call "
                "model.compile(optimizer=..., loss=...) first."
            )
        return self._spec

    def _need_loss(self, what: str) -> CompileSpec:
        spec = self._need_compiled(what)
        if spec.loss is None and spec.own_loss is None:
            raise ValueError(
                f"{what}: model {self.name!r} was compiled without a loss; call "
                "model.compile(optimizer=..., loss=...)."
            )
        return self._need_compiled(what)

    # Tracing.

    def _input_tensors(self) -> list[KerasTensor] | None:
        if self._functional is not None:
            return self._functional.inputs
        if self._input_structure is None:
            return None
        return tree.flatten(self._input_structure)

    def _match_inputs(self, given: Any) -> list[Any]:
        if self._functional is not None:
            try:
                return self._functional.match_inputs(given)
            except ValueError as error:
                raise ValueError(f"Model {self.name!r}: {error}") from None
        return tree.flatten(given)

    def _build_for(self, shapes: Any) -> None:
        """Build for data of the given shapes (nested as the data)."""
        packed = _map_shapes(lambda s: KerasTensor((None, *s[1:])), shapes)
        self._trace(packed)
        if self._functional is None:
            self._input_structure = packed

    def _trace(self, structure: Any) -> Any:
        """Call the model on symbolic tensors without recording the call."""
        with tracing.calling(None, tracing.AUTOMATIC):
            return self(structure)  # type: ignore[operator]

    def _structured(self, tensors: list[Any]) -> Any:
        """Return inputs nested as the model takes them."""
        if self._functional is None:
            return tree.pack_sequence_as(self._input_structure, tensors)
        return tensors if len(tensors) > 1 else tensors[0]

    def _lower(self) -> Lowered:
        if self._lowered is not None:
            return self._lowered
        tensors = self._input_tensors()
        if tensors is None:
            raise ValueError(
                f"Model {self.name!r} is not built: its input shape is not known. Give the first "
                "layer an Input, or call the model (or fit) on data first."
            )
        fresh = [KerasTensor.of_batch((None, *t.sample_shape), t.dtype, t.name) for t in tensors]
        structure = self._structured(fresh)
        with tracing.recorder() as recorder:
            outputs = self._trace(structure)
        self._output_structure = outputs
        self._trainable_ids = {id(v) for v in self.trainable_weights}  # type: ignore[attr-defined]
        self._lowered = lower(fresh, tree.flatten(outputs), self._trainable_ids, recorder)
        self._lowered.input_structure, self._lowered.output_structure = structure, outputs
        return self._lowered

    def _outputs(self) -> Outputs:
        graph = self._lower().graph
        shapes = [graph.tensors[i].shape for i in graph.outputs]
        if not self.output_names or len(self.output_names) != len(shapes):
            if isinstance(self._output_structure, dict):
                keys = {key: key for key in self._output_structure}
                self.output_names = [str(key) for key in tree.flatten(keys)]
            else:
                self.output_names = [f"output_{i + 1}" for i in range(len(shapes))]
        return Outputs(self.output_names, shapes)

    # Programs.

    def _program_for(self, resolved: Resolved | None = None) -> Program:
        """Return a program, with the current weights, for these losses and metrics."""
        current, device = self._program, settings.device()
        fits = resolved is None or resolved.signature == self._signature
        if current is not None and current.device == device and fits:
            current.sync()
            return current
        lowered = self._lower()
        spec = self._spec
        if resolved is None and spec is not None and (spec.loss or spec.own_loss) is not None:
            resolved = spec.resolve(self._outputs(), None)
        lowered = lowered.extended()
        if resolved is not None and self._spec is not None:
            resolved.add_to(lowered)
            lowered.add_penalties_and_constraints()
            self._spec.optimizer.put_into(lowered.graph, lowered.variables)
            self._warn_of_steps(lowered)
        program = Program(lowered.finished(), lowered.variables, device)
        graph = program.graph
        program.listed = self.trainable_weights  # type: ignore[attr-defined]
        program.session.seed = own_seed(self._seed)
        program.sync()
        if graph.optimizer is not None:
            self._spec.optimizer.adopt(program)  # type: ignore[union-attr]
        self._program = program
        self._signature = None if resolved is None else resolved.signature
        return program

    def _training_program(self, resolved: Resolved) -> Program:
        """Return the program to train with; it has the optimizer's numbers of now."""
        current, spec = self._program, self._spec
        if current is not None and spec is not None:
            known = [_but_for_momentum(one) for one in current.graph.optimizers]
            if known != [_but_for_momentum(one) for one in spec.optimizer.specs()]:
                self._program = None
        return self._program_for(resolved)

    def _set_aside(self) -> Any:
        """Go on with copies of weights and optimizer state, and return what `_put_back` takes."""
        kept, self._program = self._program, None
        return kept, self._passes, self._clock

    def _put_back(self, aside: Any) -> None:
        """Make weights and optimizer state what they were when they were set aside."""
        kept, self._passes, self._clock = aside
        self._program = kept
        self.optimizer._attach(kept)
        kept.changed()  # its values count again

    def _warn_of_steps(self, lowered: Lowered) -> None:
        for kind in sorted(lowered.kinds & {"heaviside", "sign"}):
            warnings.warn(
                f"Model {self.name!r} uses the activation {kind!r}, whose derivative is 0: layers "
                "before it do not learn.",
                UserWarning,
                stacklevel=4,
            )

    # Running on arrays.

    def _rows_of(self, inputs: list[np.ndarray]) -> int:
        if len(inputs) == 1 and len(inputs[0]):
            return len(inputs[0])
        return count_of(inputs, [f"x[{i}]" for i in range(len(inputs))] if inputs[1:] else ["x"])

    def _results(self, program: Program, rows: int, inputs: list[Any]) -> list[Any]:
        tensors, outputs = program.graph.tensors, program.graph.outputs
        return [empty_like_given(inputs, (rows, *tensors[i].shape)) for i in outputs]

    def _structure_of_outputs(self) -> Any:
        own = self._functional is None
        return self._output_structure if own else self._functional.output_structure

    def _packed(self, results: list[np.ndarray]) -> Any:
        structure = self._structure_of_outputs()
        if isinstance(structure, KerasTensor):
            return results[0]
        return tree.pack_sequence_as(structure, results)

    def _call_on_arrays(self, x: Any, training: bool) -> Any:
        inputs = prepare_inputs(self, x)
        self._rows_of(inputs)
        call = self._call_with_effects(inputs, training)
        if call is not None:
            return call.run(inputs, training, self._seed, self._advance_clock(1))
        return self._predict_at_once(inputs, training)

    def _call_with_effects(self, inputs: list[Any], training: bool) -> ArrayCall | None:
        """Return the call, recorded, if it leaves more than outputs; else None."""
        in_scope = stateless.current() is not None
        adds_losses = self._lowered is not None and bool(self._lowered.recorder.losses)
        if not (training or in_scope or adds_losses):
            return None
        if any(isinstance(x, DeviceArray) for x in inputs):
            return None
        layers = self._all_layers()  # type: ignore[attr-defined]
        key = (training, settings.device(), tuple(layer._trainable for layer in layers))
        if in_scope or key not in self._array_calls:
            call = ArrayCall(
                lambda tensors: self(self._structured(tensors)),  # type: ignore[operator]
                inputs,
                training,
                [tensor.dtype for tensor in self._input_tensors() or []],
            )
            if in_scope:
                return call  # with the scope's values, which no later call may see
            self._array_calls[key] = call if call.changes_state else None
        found = self._array_calls[key]
        if found is not None:
            forget_losses(self)
        return found

    def _predict_at_once(self, inputs: list[np.ndarray], training: bool) -> Any:
        """Return the outputs for checked arrays, computed in one batch and by one native call."""
        program = self._program_for()
        if any(isinstance(x, DeviceArray) for x in inputs):
            rows = len(inputs[0])
            results = self._results(program, rows, inputs)
            dataset = program.dataset(inputs, [], [])
            clock = self._advance_clock(1)
            program.session.predict(dataset, 0, 1, rows, native(results), training, clock)
            return self._packed(results)
        session = program.session
        return self._packed(session.predict_batch(inputs, training, self._advance_clock(1)))

    def _advance_clock(self, batches: int) -> int:
        """Return the number of the next random bits, so that always-on dropout never repeats."""
        now, self._clock = self._clock, self._clock + batches
        return _PREDICTION_CLOCK + now


def _but_for_momentum(optimizer: ir.Optimizer) -> ir.Optimizer:
    """Return an optimizer without what each step is told anew: how much momentum, if there is any.

    Without momentum there is no state for it.
    """
    names = {"momentum", "beta_1"} & optimizer.options.keys()
    told = {name: bool(optimizer.options[name]) for name in names}
    return ir.Optimizer(optimizer.kind, {**optimizer.options, **told})


def _map_shapes(function: Any, shapes: Any) -> Any:
    """Map over shapes, which are tuples of ints, nested in lists and dicts."""
    if isinstance(shapes, dict):
        return {key: _map_shapes(function, value) for key, value in shapes.items()}
    if isinstance(shapes, list):
        return [_map_shapes(function, value) for value in shapes]
    return function(shapes)
