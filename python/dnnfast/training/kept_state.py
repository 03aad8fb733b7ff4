"""The state of an optimizer apart from the session that had it: for copies."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast.graph import Graph
from dnnfast.training.program import NUMBERS
from dnnfast.variable import Variable


class _KeptSession:
    """The part of a session that an optimizer's state is read from."""

    def __init__(self, session: Any, trained: list[int]) -> None:
        for name in NUMBERS:
            setattr(self, name, getattr(session, name))
        self._slots = [
            {slot: session.get_slot(slot, i) for slot, _ in session.slots(i)} for i in trained
        ]

    def slots(self, index: int) -> list[tuple[str, tuple[int, ...]]]:
        """Return the names and shapes of the state of variable ``index``."""
        return [(slot, value.shape) for slot, value in self._slots[index].items()]

    def get_slot(self, slot: str, index: int) -> np.ndarray:
        """Return a copy of what a slot holds for variable ``index``."""
        return self._slots[index][slot].copy()

    def set_slot(self, slot: str, index: int, value: np.ndarray) -> None:
        """Set what a slot holds for variable ``index``."""
        self._slots[index][slot] = np.array(value, np.float32)


class KeptState:
    """Takes the place of the program that trained; it holds the trained variables only."""

    def __init__(self, program: Any) -> None:
        trained = [i for i in range(len(program.variables)) if program.trains(i)]
        self.variables: list[Variable] = [program.variables[i] for i in trained]
        self.listed: list[Variable] = program.listed
        self.session = _KeptSession(program.session, trained)
        parameters = [program.graph.parameters[i] for i in trained]
        self.graph = Graph(
            parameters=parameters,
            optimizer=program.graph.optimizer,
            other_optimizers=program.graph.other_optimizers,
        )

    def trains(self, i: int) -> bool:
        """Tell that training updates variable ``i``."""
        return 0 <= i < len(self.variables)


def kept(program: Any) -> KeptState | None:
    """Return the state of a program's optimizer, or None for none."""
    return program if program is None or isinstance(program, KeptState) else KeptState(program)
