"""Model variables, whose value lives in one place: a NumPy array, or the engine that trains it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from dnnfast import checks, dtypes, name_scopes, naming, stateless

_AGGREGATIONS = (None, "none", "mean", "sum", "only_first_replica")


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


def _operator(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Variable, *others: Any) -> Any:
        return self._operate(function, *others)

    return method


def _reflected(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Variable, other: Any) -> Any:
        return self._operate(function, other, reflected=True)

    return method


class Variable:
    """An array that layers own and training changes.

    It works as an array in arithmetic and comparisons, element by element; the results are arrays.

    Args:
        initializer: an array-like with the value, or the name of an initializer, or a callable of
            ``(shape, dtype)``.
        shape: required with a name or a callable.
        dtype: weights that are trained are float32. Default float32 for real numbers and callables,
            else int32 or bool as the value.
        trainable: whether training updates it. Default True.
        autocast: accepted; values are used as they are.
        aggregation: accepted, one of ``"none"``, ``"mean"``, ``"sum"``, ``"only_first_replica"``.
        synchronization: accepted.
        name: without "/". Default ``"variable"``, numbered.

    Raises:
        ValueError: if an argument is out of range, or a shape is needed or differs.

    Example:
        >>> import dnnfast
        >>> v = dnnfast.Variable([1.0, 2.0], name="v")
        >>> v.assign_add([1.0, 1.0]).numpy().tolist()
        [2.0, 3.0]
        >>> (v * 2 > 5).tolist()
        [False, True]
    """

    def __init__(
        self,
        initializer: Any,
        shape: Sequence[int] | None = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str | None = "none",
        synchronization: str = "auto",
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("layout", None)
        if kwargs:
            raise TypeError(f"Variable: unknown argument {next(iter(kwargs))!r}.")
        if aggregation not in _AGGREGATIONS:
            raise ValueError(f"Variable: unknown aggregation {aggregation!r}.")
        if name is not None and (not isinstance(name, str) or "/" in name):
            raise ValueError(f'Variable: name must be a string without "/", got {name!r}.')
        self.name = name or naming.auto_name("variable")
        around = name_scopes.current_path()
        self.path = f"{around}/{self.name}" if around else self.name
        self._value: np.ndarray | None = self._first_value(initializer, shape, dtype)
        self._owner: tuple[Owner, int] | None = None
        self.shape: tuple[int, ...] = self._value.shape
        self.dtype: str = self._value.dtype.name
        self.trainable = bool(trainable)
        self.aggregation, self.synchronization = aggregation, synchronization
        self.overwrite_with_gradient = False
        self._regularizer: Callable[[Any], Any] | None = None
        self._constraint: Callable[[Any], Any] | None = None
        self.version = clock.tick()

    def _first_value(self, initializer: Any, shape: Any, dtype: Any) -> np.ndarray:
        if isinstance(initializer, str):
            from dnnfast import initializers

            initializer = initializers.get(initializer)
        where = f"Variable {self.path!r}"
        sizes = None if shape is None else checks.known_shape(where, shape)
        if callable(initializer) and not isinstance(initializer, Variable):
            if sizes is None:
                raise ValueError(f"{where}: a callable initializer needs `shape`, got None.")
            kind = dtypes.numpy_dtype(dtype, where)
            # What an initializer has drawn is nobody else's: no copy.
            value = np.asarray(initializer(sizes, dtype=kind), dtype=kind, order="C")
        else:
            kind = _default_dtype(initializer) if dtype is None else dtypes.numpy_dtype(dtype)
            value = np.array(initializer, dtype=kind, order="C")
        if sizes is not None and value.shape != sizes:
            raise ValueError(
                f"{where}: the initializer gave shape {value.shape}, expected {sizes}."
            )
        return value

    # The value.

    def numpy(self) -> np.ndarray:
        """Return a copy of the current value."""
        replaced = stateless.value_in_scope(self)
        return self._stored() if replaced is None else replaced

    def _stored(self) -> np.ndarray:
        """Return a copy of the value itself, whatever a `StatelessScope` says."""
        if self._value is not None:
            return self._value.copy()
        assert self._owner is not None
        owner, index = self._owner
        return owner.pull(index)

    def borrow(self) -> np.ndarray:
        """Return the current value, not to be written; a copy only where an engine holds it."""
        replaced = stateless.value_in_scope(self)
        return self.kept() if replaced is None else replaced

    def kept(self) -> np.ndarray:
        """Return the value itself, whatever a `StatelessScope` says; not to be written."""
        return self._stored() if self._value is None else self._value

    @property
    def value(self) -> np.ndarray:
        """A copy of the current value."""
        return self.numpy()

    def converted(self, value: Any) -> np.ndarray:
        """Return a copy of a value as an array that may be assigned.

        Raises:
            ValueError: if the shape differs.
        """
        array = np.array(value, dtype=self.dtype, order="C")
        if array.shape != self.shape:
            raise ValueError(
                f"Variable {self.path!r}: cannot assign an array of shape {array.shape}; expected "
                f"shape {self.shape}."
            )
        return array

    def assign(self, value: Any) -> Variable:
        """Set the value; in what is recorded, let it be set whenever that runs.

        Raises:
            ValueError: if the shape differs.
        """
        from dnnfast import tracing

        if hasattr(value, "extents"):
            tracing.assign(self, value)
            return self
        array = self.converted(value)
        if tracing.collecting() and self.dtype == "float32":
            tracing.assign(self, tracing.constant(array))
            return self
        scope = stateless.current()
        if scope is not None:
            scope.add_update((self, array))
            return self
        self._value, self._owner = array, None
        self.version = clock.tick()
        return self

    def assign_add(self, value: Any) -> Variable:
        """Add to the value."""
        return self.assign(self + value)

    def assign_sub(self, value: Any) -> Variable:
        """Subtract from the value."""
        return self.assign(self - value)

    def give_to(self, owner: Owner, index: int) -> None:
        """Let ``owner`` hold the (unchanged) value from now on."""
        self._value, self._owner = None, (owner, index)

    def changed_by(self, owner: Owner, index: int, version: int) -> None:
        """Record that ``owner`` holds a new value of the given version."""
        self._value, self._owner = None, (owner, index)
        self.version = version

    # What training does with it.

    @property
    def regularizer(self) -> Callable[[Any], Any] | None:
        """A penalty on the value, or None."""
        return self._regularizer

    @regularizer.setter
    def regularizer(self, value: Callable[[Any], Any] | None) -> None:
        self._regularizer = _callable_or_none(self, "regularizer", value)

    @property
    def constraint(self) -> Callable[[Any], Any] | None:
        """A function that maps a new value to an allowed one, or None."""
        return self._constraint

    @constraint.setter
    def constraint(self, value: Callable[[Any], Any] | None) -> None:
        self._constraint = _callable_or_none(self, "constraint", value)

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
        return self.numpy().astype(dtype or self.dtype, copy=False)

    def __float__(self) -> float:
        return float(self._scalar())

    def __int__(self) -> int:
        return int(self._scalar())

    def _scalar(self) -> Any:
        if self.shape:
            raise TypeError(
                f"Variable {self.path!r} of shape {self.shape} is no single number; only one of "
                "shape () is."
            )
        return self.numpy()[()]

    def __bool__(self) -> bool:
        raise TypeError(
            f"Variable {self.path!r} has no truth value; compare its `numpy()` as a whole, for "
            "example with numpy.all, or test `is None`."
        )

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a variable without axes.")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.numpy())

    def __repr__(self) -> str:
        return (
            f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}, "
            f"value={self.numpy()}>"
        )

    # A copy has the value, in memory of its own, and no engine.

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_value": self._stored(), "_owner": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, version=clock.tick())

    def _operate(self, function: Callable[..., Any], *others: Any, reflected: bool = False) -> Any:
        """Apply an operator to the value: the one way that all operators below go."""
        if any(hasattr(other, "extents") for other in others):
            return NotImplemented  # the symbolic tensor records it
        from dnnfast import tracing

        if tracing.recording():
            from dnnfast.ops.operators import recorded

            return recorded(function, self, others, reflected)
        operands = [self.numpy(), *others]
        return function(*(reversed(operands) if reflected else operands))

    __getitem__ = _operator(operator.getitem)
    __neg__ = _operator(operator.neg)
    __pos__ = _operator(operator.pos)
    __abs__ = _operator(operator.abs)
    __invert__ = _operator(operator.invert)
    __round__ = _operator(np.round)
    __lt__ = _operator(operator.lt)
    __le__ = _operator(operator.le)
    __gt__ = _operator(operator.gt)
    __ge__ = _operator(operator.ge)
    __eq__ = _operator(operator.eq)
    __ne__ = _operator(operator.ne)
    __hash__ = object.__hash__  # equality is that of elements, each variable one of its own
    __add__, __radd__ = _operator(operator.add), _reflected(operator.add)
    __sub__, __rsub__ = _operator(operator.sub), _reflected(operator.sub)
    __mul__, __rmul__ = _operator(operator.mul), _reflected(operator.mul)
    __truediv__, __rtruediv__ = _operator(operator.truediv), _reflected(operator.truediv)
    __floordiv__, __rfloordiv__ = _operator(operator.floordiv), _reflected(operator.floordiv)
    __mod__, __rmod__ = _operator(operator.mod), _reflected(operator.mod)
    __pow__, __rpow__ = _operator(operator.pow), _reflected(operator.pow)
    __matmul__, __rmatmul__ = _operator(operator.matmul), _reflected(operator.matmul)
    __and__, __rand__ = _operator(np.logical_and), _reflected(np.logical_and)
    __or__, __ror__ = _operator(np.logical_or), _reflected(np.logical_or)
    __xor__, __rxor__ = _operator(np.logical_xor), _reflected(np.logical_xor)


def _default_dtype(value: Any) -> str:
    array = np.asarray(value)
    if array.dtype.kind in "iu":
        return "int32" if np.array_equal(array, array.astype(np.int32)) else "int64"
    return "bool" if array.dtype.kind == "b" else "float32"


def _callable_or_none(variable: Variable, name: str, value: Any) -> Any:
    if value is not None and not callable(value):
        raise ValueError(
            f"Variable {variable.path!r}: {name} must be a function or None, got {value!r}."
        )
    return value
