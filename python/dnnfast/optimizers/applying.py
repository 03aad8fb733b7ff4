"""The half of an optimizer that works without `fit`: on gradients that the caller has."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from dnnfast import graph
from dnnfast.config import settings
from dnnfast.optimizers.scalar import Scalar
from dnnfast.optimizers.state import slot_variables


class Applying:
    """Owns the program that holds an optimizer's state, and applies gradients."""

    name: str
    use_ema: bool
    gradient_accumulation_steps: int | None
    # The names of the state, in the groups in which Keras lists it.
    _groups: tuple[tuple[str, ...], ...] = ()

    def _init_state(self) -> None:
        self._iterations = 0
        self._program: Any = None  # holds the state, once there is one
        self._index = 0  # among the program's optimizers
        self._own_variables: list[Any] | None = None  # of a program made by `build`
        self._excluded: list[Any] = []
        self._excluded_names: re.Pattern[str] | None = None

    # Programs.

    def put_into(self, target: graph.Graph, variables: Sequence[Any]) -> None:
        """Make a graph train with this optimizer.

        Args:
            target: its parameters are replaced by ones that say how they are trained.
            variables: those of the parameters.
        """
        raise NotImplementedError

    def adopt(self, program: Any) -> None:
        """Go on in another program: the state moves there."""
        if self._program is not None:
            program.take_state(self._program)
        else:
            program.session.iterations = self._iterations
        self._attach(program)

    def _attach(self, program: Any, index: int = 0) -> None:
        self._program, self._index = program, index

    @property
    def built(self) -> bool:
        """Whether there is state."""
        return self._program is not None

    def build(self, variables: Iterable[Any]) -> None:
        """Make the state for variables; `apply` and `fit` do so by themselves.

        Args:
            variables: those that will be trained.

        Example:
            >>> import dnnfast
            >>> optimizer = dnnfast.optimizers.SGD(momentum=0.9, name="sgd")
            >>> optimizer.build([dnnfast.Variable([1.0], name="w")])
            >>> [v.path for v in optimizer.variables[2:]]
            ['sgd/w_momentum']
        """
        if not self.built:
            self._build(list(variables))

    def _build(self, variables: list[Any]) -> None:
        from dnnfast.training.program import Program

        plan = graph.Graph()
        for variable in variables:
            plan.add_parameter(graph.Parameter(variable.path, tuple(variable.shape)))
        self.put_into(plan, variables)
        program = Program(plan, variables, settings.device())
        program.sync()
        self.adopt(program)
        self._own_variables = variables

    def _ready_program(self) -> Any:
        """Return the program, on the current device if it is only for applying."""
        program = self._program
        own = self._own_variables is not None and program.variables is self._own_variables
        alive = hasattr(program, "device")  # else it is what a copied optimizer has kept
        if not alive or (own and program.device != settings.device()):
            self._build(program.variables)
            program = self._program
        program.sync()
        return program

    def _trained(self) -> list[int]:
        """Return the numbers of the variables that this optimizer trains."""
        parameters = self._program.graph.parameters
        return [i for i, p in enumerate(parameters) if p.trainable and p.optimizer == self._index]

    # Weight decay.

    def exclude_from_weight_decay(
        self, var_list: Iterable[Any] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Keep variables from decay; call it before training.

        Args:
            var_list: variables.
            var_names: expressions; one found in a variable's name excludes it.

        Raises:
            ValueError: if there is state already.

        Example:
            >>> import dnnfast
            >>> dnnfast.optimizers.AdamW().exclude_from_weight_decay(var_names=["bias", "gamma"])
        """
        if self.built:
            raise ValueError(
                f"{type(self).__name__}: exclude_from_weight_decay must be called before the "
                "optimizer is built; create a new optimizer."
            )
        self._excluded = list(var_list or ())
        names = list(var_names or ())
        self._excluded_names = re.compile("|".join(names)) if names else None

    def _decays(self, variable: Any) -> bool:
        if any(variable is excluded for excluded in self._excluded):
            return False
        names = self._excluded_names
        return names is None or names.search(variable.name) is None

    # Gradients.

    def rates(self, step: int, count: int) -> np.ndarray:
        """Return what the engine needs of ``count`` steps from number ``step``."""
        raise NotImplementedError

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        """Take one step by gradients.

        Args:
            grads: one array a variable; None leaves a variable as it is. With a
                ``loss_scale_factor``, they are those of the scaled loss.
            trainable_variables: the variables; default those that the optimizer was built with.

        Raises:
            ValueError: if variables and gradients do not fit together.

        Example:
            >>> import dnnfast
            >>> w = dnnfast.Variable([1.0])
            >>> dnnfast.optimizers.SGD(0.5).apply([[1.0]], [w])
            >>> w.numpy().tolist()
            [0.5]
        """
        grads = list(grads)
        if not grads:
            return
        variables = self._variables_of(grads, trainable_variables)
        program = self._ready_program()
        places = {id(program.variables[i]): i for i in range(len(program.variables))}
        found: list[Any] = [None] * len(program.variables)
        missing = []
        for grad, variable in zip(grads, variables, strict=True):
            place = places.get(id(variable))
            if place is None or not program.trains(place):
                raise ValueError(
                    f"{type(self).__name__}: unknown variable {variable!r}; the optimizer was "
                    "built for others. Create a new one for a new set of variables."
                )
            if grad is None:
                missing.append(variable.path)
            else:
                found[place] = np.ascontiguousarray(grad, np.float32)
        if len(missing) == len(grads):
            raise ValueError(f"{type(self).__name__}: no gradient was given for any variable.")
        if missing:
            warnings.warn(f"There are no gradients for the variables {missing}.", stacklevel=2)
        program.session.apply(found, self.rates(program.session.iterations, 1))
        program.changed()
        for grad, variable in zip(grads, variables, strict=True):
            constraint = getattr(variable, "constraint", None)
            if grad is not None and constraint is not None:
                variable.assign(constraint(variable.numpy()))

    def _variables_of(self, grads: list[Any], variables: Any) -> list[Any]:
        if variables is not None:
            given = list(variables)
            self.build(given)
        elif not self.built:
            raise ValueError(
                f"{type(self).__name__}: gradients came without variables; call "
                "optimizer.build(trainable_variables) first."
            )
        else:
            program = self._program
            given = [v for i, v in enumerate(program.variables) if program.trains(i)]
        if len(given) != len(grads):
            raise ValueError(
                f"{type(self).__name__}: got {len(grads)} gradients for {len(given)} variables."
            )
        return given

    def apply_gradients(self, grads_and_vars: Any) -> Any:
        """Take one step by pairs of gradients and variables; returns ``iterations``.

        Example:
            >>> import dnnfast
            >>> w = dnnfast.Variable([1.0])
            >>> int(dnnfast.optimizers.SGD(0.5).apply_gradients([([1.0], w)]))
            1
        """
        pairs = list(grads_and_vars)
        self.apply([grad for grad, _ in pairs], [variable for _, variable in pairs])
        return self._raw_iterations()

    def scale_loss(self, loss: Any) -> Any:
        """Return a loss multiplied by ``loss_scale_factor``."""
        factor = getattr(self, "loss_scale_factor", None)
        return loss if factor is None else loss * factor

    # Iterations.

    def _step(self) -> int:
        return int(self._program.session.iterations) if self.built else self._iterations

    def _set_iterations(self, value: Any) -> None:
        self._iterations = int(value)
        if self.built:
            self._program.session.iterations = int(value)

    def _raw_iterations(self) -> Scalar:
        return Scalar("iteration", self._step, self._set_iterations, "int64")

    @property
    def iterations(self) -> Any:
        """The number of updates so far; readable as an integer, and writable.

        With ``gradient_accumulation_steps`` the steps between two updates do not count.
        """
        stride = self.gradient_accumulation_steps or 1
        if stride == 1:
            return self._raw_iterations()
        return Scalar(
            "iteration",
            lambda: self._step() // stride,
            lambda value: self._set_iterations(int(value) * stride),
            "int64",
        )

    @iterations.setter
    def iterations(self, value: Any) -> None:
        self.iterations.assign(value)

    # State.

    def _scalars(self) -> list[Any]:
        """Return the variables before the arrays of state."""
        raise NotImplementedError

    @property
    def variables(self) -> list[Any]:
        """Iterations, learning rate (unless it is a schedule) and state, in Keras's order."""
        found = self._scalars()
        if self.built:
            found += slot_variables(self._program, self._trained(), self._groups, self.name)
        return found

    def set_weights(self, weights: Any) -> None:
        """Set all `variables`.

        Raises:
            ValueError: if the optimizer is not built, or a shape differs.
        """
        if not self.built:
            raise ValueError(
                f"{type(self).__name__}: set_weights needs an optimizer that is built; call "
                "optimizer.build(trainable_variables) first."
            )
        variables = self.variables
        if len(weights) != len(variables):
            raise ValueError(
                f"{type(self).__name__}: got {len(weights)} arrays; there are {len(variables)} "
                "variables."
            )
        for variable, weight in zip(variables, weights, strict=True):
            if tuple(np.shape(weight)) != tuple(variable.shape):
                raise ValueError(
                    f"{type(self).__name__}: {variable.path} has shape {tuple(variable.shape)}; "
                    f"got {np.shape(weight)}."
                )
        for variable, weight in zip(variables, weights, strict=True):
            variable.assign(weight)

    def get_weights(self) -> list[np.ndarray]:
        """Return the values of all `variables`."""
        return [np.asarray(variable.numpy()) for variable in self.variables]

    def save_own_variables(self, store: Any) -> None:
        """Write all `variables` to a mapping, under their numbers."""
        for i, variable in enumerate(self.variables):
            store[str(i)] = np.asarray(variable.numpy())

    def load_own_variables(self, store: Any) -> None:
        """Read all `variables` from a mapping; warns, and reads none, if their number differs."""
        variables = self.variables
        if len(store.keys()) != len(variables):
            warnings.warn(
                f"The state of optimizer {self.name!r} is not loaded: it has {len(variables)} "
                f"variables, the saved one has {len(store.keys())}.",
                stacklevel=2,
            )
            return
        for i, variable in enumerate(variables):
            value = np.asarray(store[str(i)])
            # Numbers that agree as far as they were written stay as exact as they are.
            if not value.ndim and np.float32(float(variable)) == np.float32(value):
                continue
            variable.assign(value)

    # Averages.

    def _need_averages(self) -> list[int]:
        if not self.use_ema:
            raise ValueError(f"{type(self).__name__}: there are no averages without use_ema=True.")
        return self._trained() if self.built else []

    def swap_averages(self) -> None:
        """Exchange the trained variables with their averages; doing it again restores both.

        Raises:
            ValueError: if the optimizer has no ``use_ema``.

        Example:
            >>> import dnnfast
            >>> w, optimizer = dnnfast.Variable([1.0]), dnnfast.optimizers.SGD(1.0, use_ema=True)
            >>> optimizer.apply([[1.0]], [w])
            >>> optimizer.swap_averages()
        """
        for i in self._need_averages():
            variable, session = self._program.variables[i], self._program.session
            value, average = variable.numpy(), session.get_slot("average", i)
            variable.assign(average)
            session.set_slot("average", i, value)

    def finalize_variable_values(self, var_list: Iterable[Any]) -> None:
        """With ``use_ema``, set variables to their averages; `fit` does so at its end."""
        if not self.use_ema:
            return
        wanted = {id(variable) for variable in var_list}
        for i in self._need_averages():
            variable = self._program.variables[i]
            if id(variable) in wanted:
                variable.assign(self._program.session.get_slot("average", i))
