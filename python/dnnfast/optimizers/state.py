"""The state of an optimizer, which lies in the engine that trains, as variables."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast.optimizers.scalar import Scalar


class StateVariable:
    """A live view of an array of state: reads and writes reach the engine.

    Example:
        >>> import dnnfast
        >>> optimizer = dnnfast.optimizers.Adam()
        >>> optimizer.build([dnnfast.Variable([1.0, 2.0], name="w")])
        >>> optimizer.variables[2].numpy().tolist()
        [0.0, 0.0]
    """

    trainable = False
    dtype = "float32"

    def __init__(self, program: Any, index: int, slot: str, path: str) -> None:
        self._program, self._index, self._slot = program, index, slot
        self.path, self.name = path, path.rpartition("/")[2]
        self.shape: tuple[int, ...] = tuple(dict(program.session.slots(index))[slot])

    def numpy(self) -> np.ndarray:
        """Return a copy of the value."""
        value: np.ndarray = self._program.session.get_slot(self._slot, self._index)
        return value

    @property
    def value(self) -> np.ndarray:
        """A copy of the value."""
        return self.numpy()

    def assign(self, value: Any) -> StateVariable:
        """Set the value; raises ValueError if the shape differs."""
        array = np.asarray(value, np.float32)
        if array.shape != self.shape:
            raise ValueError(
                f"{self.path}: cannot assign an array of shape {array.shape}; expected shape "
                f"{self.shape}."
            )
        self._program.session.set_slot(self._slot, self._index, array)
        return self

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.numpy().astype(dtype or np.float32, copy=False)

    def __repr__(self) -> str:
        return f"<StateVariable path={self.path}, shape={self.shape}>"


class FactoredVelocity(StateVariable):
    """The mean squares that Adafactor's two factors stand for; what is assigned has no effect."""

    def __init__(self, program: Any, index: int, path: str) -> None:
        super().__init__(program, index, "row_factor", path)
        self.shape = tuple(program.graph.parameters[index].shape)

    def numpy(self) -> np.ndarray:
        """Return the value."""
        rows, columns = (
            self._program.session.get_slot(name, self._index).astype(np.float64)
            for name in ("row_factor", "column_factor")
        )
        mean = rows.mean(axis=-1, keepdims=True)
        shares = np.divide(rows, mean, out=np.zeros_like(rows), where=mean > 0.0)
        return (shares[..., :, None] * columns[..., None, :]).astype(np.float32)

    def assign(self, value: Any) -> StateVariable:
        """Do nothing: the next step makes it anew."""
        return self


def constant(name: str, value: float, dtype: str) -> Scalar:
    """Return a number that nobody changes, in the place of a variable of Keras."""
    return Scalar(name, lambda: value, lambda new: None, dtype)


def slot_variables(trained: list[tuple[Any, int]], groups: Any, prefix: str) -> list[Any]:
    """Return the state of parameters in Keras's order.

    Args:
        trained: for each parameter the program that holds its state, and its number there.
        groups: tuples of names of state: variable by variable within a group.
        prefix: of the paths, the optimizer's name.
    """
    slots = [(program, i, dict(program.session.slots(i))) for program, i in trained]
    named = {name for group in groups for name in group}
    found: list[Any] = []
    for group in (("average",), ("gradient_accumulator",), *groups):
        for program, i, held in slots:
            variable = program.variables[i].path.replace("/", "_")
            for name in group:
                path = f"{prefix}/{variable}_{name}"
                if name in held:
                    found.append(StateVariable(program, i, name, path))
                elif name in ("row_factor", "column_factor"):
                    found.append(constant(variable, 0, "int32"))
                elif name == "velocity" and "row_factor" in held:
                    found.append(FactoredVelocity(program, i, path))
    missed = {name for _, _, held in slots for name in held} - named
    assert missed <= {"average", "gradient_accumulator"}, missed
    return found
