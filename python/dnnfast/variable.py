"""Model variables, whose value lives in one place: a NumPy array, or the engine that trains it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from dnnfast import naming


class Owner(Protocol):
    """Holds the values of variables: the session of a program."""

    def pull(self, index: int) -> np.ndarray:
        """Return a copy of the value of variable ``index``."""


class Clock:
    """Counts writes to any variable, so that one comparison tells whether nothing changed."""

    def __init__(self) -> None:
        self.now = 0

    def tick(self) -> int:
        """Advance and return the new time."""
        self.now += 1
        return self.now


clock = Clock()


class Variable:
    """A float32 array that layers own and training changes.

    Args:
        initializer: an array-like with the value, or a callable of ``(shape, dtype)``.
        shape: required with a callable initializer.
        dtype: only ``"float32"``.
        trainable: whether training updates it. Default True.
        name: default ``"variable"``, numbered.

    Raises:
        ValueError: if a callable initializer comes without a shape.

    Example:
        >>> import dnnfast
        >>> v = dnnfast.Variable([1.0, 2.0], name="v")
        >>> v.assign_add([1.0, 1.0]).numpy().tolist()
        [2.0, 3.0]
    """

    def __init__(
        self,
        initializer: Any,
        shape: Sequence[int] | None = None,
        dtype: str | None = None,
        trainable: bool = True,
        name: str | None = None,
    ) -> None:
        if callable(initializer):
            if shape is None:
                raise ValueError("Variable: a callable initializer needs `shape`, got None.")
            # What an initializer has drawn is nobody else's: no copy.
            value = initializer(tuple(shape), dtype="float32")
            value = np.asarray(value, dtype=np.float32, order="C")
        else:
            value = np.array(initializer, dtype=np.float32, order="C")
        self._value: np.ndarray | None = value
        if shape is not None and self._value.shape != tuple(shape):
            raise ValueError(
                f"Variable {name!r}: the initializer gave shape {self._value.shape}, expected "
                f"{tuple(shape)}."
            )
        self._owner: tuple[Owner, int] | None = None
        self.shape: tuple[int, ...] = self._value.shape
        self.dtype = "float32"
        self.trainable = bool(trainable)
        self.name = name or naming.auto_name("variable")
        self.path = self.name
        self.regularizer: Callable[[Any], Any] | None = None
        self.version = clock.tick()

    # The value.

    def numpy(self) -> np.ndarray:
        """Return a copy of the current value."""
        if self._value is not None:
            return self._value.copy()
        assert self._owner is not None
        owner, index = self._owner
        return owner.pull(index)

    def borrow(self) -> np.ndarray:
        """Return the current value, not to be written; a copy only where an engine holds it."""
        return self.numpy() if self._value is None else self._value

    @property
    def value(self) -> np.ndarray:
        """A copy of the current value."""
        return self.numpy()

    def assign(self, value: Any) -> Variable:
        """Set the value.

        Raises:
            ValueError: if the shape differs.
        """
        if hasattr(value, "extents"):  # symbolic: it changes when the model runs
            from dnnfast import tracing

            tracing.assign(self, value)
            return self
        array = np.array(value, dtype=np.float32, order="C")
        if array.shape != self.shape:
            raise ValueError(
                f"Variable {self.path!r}: cannot assign an array of shape {array.shape}; expected "
                f"shape {self.shape}."
            )
        self._value, self._owner = array, None
        self.version = clock.tick()
        return self

    def assign_add(self, value: Any) -> Variable:
        """Add to the value."""
        return self.assign(self.numpy() + np.asarray(value, np.float32))

    def assign_sub(self, value: Any) -> Variable:
        """Subtract from the value."""
        return self.assign(self.numpy() - np.asarray(value, np.float32))

    def give_to(self, owner: Owner, index: int) -> None:
        """Let ``owner`` hold the (unchanged) value from now on."""
        self._value, self._owner = None, (owner, index)

    def changed_by(self, owner: Owner, index: int, version: int) -> None:
        """Record that ``owner`` holds a new value of the given version."""
        self._value, self._owner = None, (owner, index)
        self.version = version

    # Array manners.

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

    def __float__(self) -> float:
        return float(self.numpy())

    def __getitem__(self, key: Any) -> np.ndarray:
        return self.numpy()[key]

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a variable without axes.")
        return self.shape[0]

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape={self.shape}, dtype=float32>"

    def __add__(self, other: Any) -> np.ndarray:
        return self.numpy() + other

    __radd__ = __add__

    def __sub__(self, other: Any) -> np.ndarray:
        return self.numpy() - other

    def __rsub__(self, other: Any) -> np.ndarray:
        return other - self.numpy()

    def __mul__(self, other: Any) -> np.ndarray:
        return self.numpy() * other

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> np.ndarray:
        return self.numpy() / other
