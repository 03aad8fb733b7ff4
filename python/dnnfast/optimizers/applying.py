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
from dnnfast.optimizers.stateful import Stateful


class Applying(Stateful):
    """Owns the program that holds an optimizer's state, and applies gradients."""

    name: str
    use_ema: bool
    gradient_accumulation_steps: int | None

    def _init_state(self) -> None:
        self._iterations = 0
        self._program: Any = None  # holds the state, once there is one
        self._index = 0  # among the program's optimizers
        self._own_variables: list[Any] | None = None  # of a program made by `build`
        self._unread: Any = None  # the state of variables that no step reads
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

    def _program_of(self, variables: list[Any]) -> Any:
        from dnnfast.training.program import Program

        plan = graph.Graph()
        for variable in variables:
            plan.add_parameter(graph.Parameter(variable.path, tuple(variable.shape)))
        self.put_into(plan, variables)
        program = Program(plan, variables, settings.device())
        program.sync()
        return program

    def _build(self, variables: list[Any]) -> None:
        self.adopt(self._program_of(variables))
        self._own_variables = variables

    def _state_of_unread(self, variables: list[Any]) -> Any:
        """Return a program with the state of variables that no step reads."""
        if self._unread is None or [*map(id, self._unread.variables)] != [*map(id, variables)]:
            from dnnfast.training.kept_state import kept

            self._unread = kept(self._program_of(variables))
        return self._unread

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

    def stateless_apply(
        self, optimizer_variables: Any, grads: Any, trainable_variables: Any
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Return ``(trainable_variables, optimizer_variables)`` after a step; nothing is changed.

        Args:
            optimizer_variables: values of `variables`.
            grads: one array a variable.
            trainable_variables: values of the variables that the optimizer was built with.

        Raises:
            ValueError: if the optimizer is not built, or a number or shape does not fit.

        Example:
            >>> import dnnfast
            >>> w, optimizer = dnnfast.Variable([1.0]), dnnfast.optimizers.SGD(0.5)
            >>> optimizer.build([w])
            >>> values, state = optimizer.stateless_apply(optimizer.get_weights(), [[1.0]], [[1.0]])
            >>> values[0].tolist(), w.numpy().tolist()
            ([0.5], [1.0])
        """
        if not self.built:
            raise ValueError(
                f"{type(self).__name__}: stateless_apply needs an optimizer that is built; call "
                "optimizer.build(trainable_variables) first."
            )
        program = self._program
        trained = [v for i, v in enumerate(program.variables) if program.trains(i)]
        before = [v.numpy() for v in trained], self.get_weights()
        try:
            for variable, value in zip(trained, trainable_variables, strict=True):
                variable.assign(value)
            self.set_weights(optimizer_variables)
            self.apply(grads)
            return [v.numpy() for v in trained], self.get_weights()
        finally:
            for variable, value in zip(trained, before[0], strict=True):
                variable.assign(value)
            self.set_weights(before[1])

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
