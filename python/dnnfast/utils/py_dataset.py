"""Data sets that hand out whole batches, and the parts of a batch."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from typing import Any

_DEFAULTS = {"workers": 1, "use_multiprocessing": False, "max_queue_size": 10}


def _setting(name: str) -> Any:
    def read(self: PyDataset) -> Any:
        if f"_{name}" not in self.__dict__:
            warnings.warn(
                f"{type(self).__name__}.__init__ should call super().__init__(**kwargs), with "
                "workers, use_multiprocessing and max_queue_size among kwargs; their defaults are "
                "used.",
                UserWarning,
                stacklevel=2,
            )
            for key, value in _DEFAULTS.items():
                self.__dict__.setdefault(f"_{key}", value)
        return self.__dict__[f"_{name}"]

    def write(self: PyDataset, value: Any) -> None:
        self.__dict__[f"_{name}"] = value

    return property(read, write)


class PyDataset:
    """A data set whose item ``i`` is batch ``i``; `fit` fetches batches ahead of their use.

    Subclasses define ``__getitem__``, which returns ``(x, y)``, ``(x, y, sample_weight)``, ``(x,)``
    or ``x``, and ``__len__`` (the number of batches) or the property `num_batches`.

    Args:
        workers: threads or processes that fetch batches, at least 0; 0 fetches when a batch is
            needed. Default 1.
        use_multiprocessing: fetch in processes, each with a copy of the data set. Default False.
        max_queue_size: largest number of batches fetched ahead. Default 10.

    Raises:
        ValueError: if a number is out of range.

    Example:
        >>> import dnnfast, numpy
        >>> class Ones(dnnfast.utils.PyDataset):
        ...     def __len__(self):
        ...         return 3
        ...     def __getitem__(self, index):
        ...         return numpy.ones((8, 2)), numpy.ones((8, 1))
        >>> Ones(workers=2).num_batches
        3
    """

    def __init__(
        self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10
    ) -> None:
        if isinstance(workers, bool) or not isinstance(workers, int) or workers < 0:
            raise ValueError(f"PyDataset: workers must be an integer >= 0, got {workers!r}.")
        if not isinstance(max_queue_size, int) or max_queue_size < 1:
            raise ValueError(
                f"PyDataset: max_queue_size must be an integer >= 1, got {max_queue_size!r}."
            )
        self._workers = workers
        self._use_multiprocessing = bool(use_multiprocessing)
        self._max_queue_size = max_queue_size

    workers = _setting("workers")
    use_multiprocessing = _setting("use_multiprocessing")
    max_queue_size = _setting("max_queue_size")

    def __getitem__(self, index: int) -> Any:
        """Return batch number ``index``; subclasses define it."""
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__(self, index).")

    @property
    def num_batches(self) -> int | None:
        """The number of batches, or None if there is no end."""
        if not hasattr(self, "__len__"):
            raise NotImplementedError(
                f"{type(self).__name__} must define __len__ or the property num_batches (which "
                "may be None for a data set without end)."
            )
        try:
            return len(self)
        except TypeError:  # __len__ gave None
            return None

    def __iter__(self) -> Iterator[Any]:
        try:
            count = self.num_batches
        except NotImplementedError:
            count = None
        for index in itertools.count() if count is None else range(count):
            yield self[index]

    def on_epoch_begin(self) -> None:
        """Called before each epoch (and each evaluation)."""

    def on_epoch_end(self) -> None:
        """Called after each epoch (and each evaluation)."""


Sequence = PyDataset


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Return x, y and sample weights of a batch, with None for what it lacks.

    Args:
        data: ``x``, ``(x,)``, ``(x, y)`` or ``(x, y, sample_weight)``; a list is taken as a tuple.

    Raises:
        ValueError: if a tuple has another length.

    Example:
        >>> import dnnfast
        >>> dnnfast.utils.unpack_x_y_sample_weight(([1.0], [2.0]))
        ([1.0], [2.0], None)
    """
    if not isinstance(data, (tuple, list)):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(
            f"a batch must be x, (x,), (x, y) or (x, y, sample_weight), got {len(data)} parts."
        )
    x, y, weight = (*data, None, None)[:3]
    return x, y, weight


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Return a batch of the given parts, as `train_step` gets it.

    Example:
        >>> import dnnfast
        >>> dnnfast.utils.pack_x_y_sample_weight([1.0], [2.0])
        ([1.0], [2.0])
    """
    if y is None and sample_weight is None:
        return (x,) if isinstance(x, (tuple, list)) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)
