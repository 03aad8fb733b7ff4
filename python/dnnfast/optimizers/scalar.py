"""A number that an optimizer owns, in the manner of a variable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


class Scalar:
    """A live view of a number: reads and writes reach the optimizer.

    Example:
        >>> import dnnfast
        >>> rate = dnnfast.optimizers.SGD(0.5).learning_rate
        >>> float(rate), rate * 2
        (0.5, 1.0)
    """

    shape: tuple[int, ...] = ()
    ndim, size = 0, 1

    def __init__(
        self, name: str, read: Callable[[], float], write: Callable[[Any], None], dtype: str
    ) -> None:
        self.name = self.path = name
        self.dtype = dtype
        self._read, self._write = read, write

    def numpy(self) -> Any:
        """Return the value as a NumPy scalar."""
        return np.dtype(self.dtype).type(self._read())

    @property
    def value(self) -> Any:
        """The value as a NumPy scalar."""
        return self.numpy()

    def assign(self, value: Any) -> Scalar:
        """Set the value."""
        self._write(float(value))
        return self

    def __float__(self) -> float:
        return float(self._read())

    def __int__(self) -> int:
        return int(self._read())

    def __index__(self) -> int:
        if not self.dtype.startswith("int"):
            raise TypeError(f"{self.name} is not an integer.")
        return int(self._read())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self._read(), dtype or self.dtype)

    def __bool__(self) -> bool:
        return bool(self._read())

    def __round__(self, digits: int | None = None) -> Any:
        return round(self._read(), digits)

    def __format__(self, spec: str) -> str:
        return format(self._read(), spec)

    def __repr__(self) -> str:
        return repr(self._read())

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return bool(self._read() == (other._read() if isinstance(other, Scalar) else other))


def _forward(name: str) -> None:
    def method(self: Scalar, *args: Any) -> Any:
        values = [float(a) if isinstance(a, Scalar) else a for a in args]
        return getattr(self._read(), name)(*values)

    method.__name__ = name
    setattr(Scalar, name, method)


for _operation in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"):
    _forward(f"__{_operation}__")
    _forward(f"__r{_operation}__")
for _operation in ("lt", "le", "gt", "ge", "neg", "pos", "abs"):
    _forward(f"__{_operation}__")
