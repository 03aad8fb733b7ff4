"""The half of an optimizer that others read and write: its variables, averages of weights."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from dnnfast.optimizers.state import slot_variables


class Stateful:
    """Gives access to the state in an optimizer's program."""

    name: str
    use_ema: bool
    _program: Any
    _index: int
    # The names of the state, in the groups in which Keras lists it.
    _groups: tuple[tuple[str, ...], ...] = ()

    @property
    def built(self) -> bool:
        """Whether there is state."""
        return self._program is not None

    def _trained(self) -> list[int]:
        """Return the numbers of the variables that this optimizer trains."""
        parameters = self._program.graph.parameters
        return [i for i, p in enumerate(parameters) if p.trainable and p.optimizer == self._index]

    def _scalars(self) -> list[Any]:
        """Return the variables before the arrays of state."""
        raise NotImplementedError

    @property
    def variables(self) -> list[Any]:
        """Iterations, learning rate (unless it is a schedule) and state, in Keras's order."""
        found = self._scalars()
        if self.built:
            found += slot_variables(self._listed(), self._groups, self.name)
        return found

    def _listed(self) -> list[tuple[Any, int]]:
        """Return the programs and numbers of what is trained, in the order of the model's weights.

        Variables that no step reads have state, too, which stays as it began.
        """
        program = self._program
        places = {id(program.variables[i]): i for i in self._trained()}
        others = {id(v) for v in program.variables}
        unread = [v for v in program.listed if id(v) not in others]
        beside = self._state_of_unread(unread) if unread and not self._index else None
        listed = []
        for variable in program.listed:
            if id(variable) in places:
                listed.append((program, places[id(variable)]))
            elif beside is not None and any(variable is v for v in unread):
                listed.append((beside, next(i for i, v in enumerate(unread) if v is variable)))
        return listed

    def _state_of_unread(self, variables: list[Any]) -> Any:
        """Return a program with the state of variables that no step reads."""
        raise NotImplementedError

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
        if len(store.keys()) == len(self._scalars()) and not int(self._scalars()[0]):
            variables = self._scalars()  # what was saved before the first step has no more
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
