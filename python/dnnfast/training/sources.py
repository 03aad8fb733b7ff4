"""Where batches come from: data sets, iterators, and what else is no array."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from dnnfast import tree
from dnnfast.training.device_arrays import is_on_gpu
from dnnfast.training.prefetch import (
    END,
    InlineWorker,
    Prefetcher,
    ProcessWorkers,
    ThreadWorkers,
)
from dnnfast.utils.py_dataset import PyDataset, pack_x_y_sample_weight

# Batches that are taken from an iterator ahead of their use.
_AHEAD = 4


class Source:
    """Batches in passes: a pass goes once through all of them.

    ``length`` is the number of batches of a pass, if known; ``restarts`` tells whether there can be
    a second pass.
    """

    length: int | None = None
    restarts = True

    def __init__(self) -> None:
        self._prefetcher: Prefetcher | None = None

    # What kinds of sources differ in.

    def first(self) -> Any:
        """Return a batch to learn shapes from, or END; it does not count as taken."""
        raise NotImplementedError

    def _keys(self, order: np.ndarray | None) -> Iterator[Any]:
        raise NotImplementedError

    def _start(self) -> Prefetcher:
        raise NotImplementedError

    def numbered(self) -> tuple[int, int]:
        """Return how many things a pass can take in any order, and how many a batch takes."""
        return 0, 1

    def begin_epoch(self) -> None:
        """Tell the data set that an epoch begins."""

    def end_epoch(self) -> None:
        """Tell the data set that an epoch has ended."""

    # What they share.

    def begin_pass(self, order: np.ndarray | None = None) -> None:
        """Begin a pass, in the given order if there is one."""
        if self._prefetcher is None:
            self._prefetcher = self._start()
        self._prefetcher.start(self._keys(order))

    def begin_pass_at(self, order: np.ndarray | None, position: int) -> int:
        """Begin a pass at a later batch than the first; returns its number."""
        if self._prefetcher is None:
            self._prefetcher = self._start()
        self._prefetcher.start(itertools.islice(self._keys(order), position, None))
        return position

    def allow(self, count: int | None) -> None:
        """Permit so many batches to be fetched from now on."""
        assert self._prefetcher is not None
        self._prefetcher.allow(count)

    def take(self) -> Any:
        """Return the next batch, or END."""
        assert self._prefetcher is not None
        return self._prefetcher.take()

    def close(self) -> None:
        """Drop what was fetched ahead and end threads and processes."""
        if self._prefetcher is not None:
            self._prefetcher.close()
            self._prefetcher = None


class DatasetSource(Source):
    """Batches by number: a `PyDataset`, or something with the same methods."""

    def __init__(self, dataset: Any) -> None:
        super().__init__()
        self._dataset = dataset
        self.length = dataset.num_batches if hasattr(dataset, "num_batches") else len(dataset)
        if self.length == 0:
            raise ValueError(f"x: the {type(dataset).__name__} has no batches (its length is 0).")

    def first(self) -> Any:
        """Return batch 0; it will be fetched again."""
        return self._dataset[0]

    def _keys(self, order: np.ndarray | None) -> Iterator[Any]:
        if self.length is None:
            return itertools.count()
        return iter(range(self.length)) if order is None else iter(order.tolist())

    def _start(self) -> Prefetcher:
        dataset = self._dataset
        count = int(getattr(dataset, "workers", 1))
        window = int(getattr(dataset, "max_queue_size", 10))
        workers: Any
        if count < 1:
            workers = InlineWorker()
        elif getattr(dataset, "use_multiprocessing", False):
            workers = ProcessWorkers(count, dataset)
        else:
            workers = ThreadWorkers(count)
        return Prefetcher(workers, dataset.__getitem__, window)

    def numbered(self) -> tuple[int, int]:
        """Return the number of batches."""
        return self.length or 0, 1

    def begin_epoch(self) -> None:
        """Call the data set's hook."""
        getattr(self._dataset, "on_epoch_begin", _nothing)()

    def end_epoch(self) -> None:
        """Call the data set's hook."""
        getattr(self._dataset, "on_epoch_end", _nothing)()


class IterableSource(Source):
    """Batches of an iterator (one pass), or of something that gives a new iterator each time."""

    def __init__(self, iterable: Any) -> None:
        super().__init__()
        self._iterable = iterable
        self.restarts = not hasattr(iterable, "__next__")
        if self.restarts:
            try:
                self.length = len(iterable)
            except (TypeError, NotImplementedError):  # streams do not know it
                self.length = None
        self._iterator: Any = iter(iterable)
        self._first: Any = None
        self._is_used = False

    def first(self) -> Any:
        """Return the first batch; the first pass begins with it."""
        if self._first is None and not self._is_used:
            self._first = next(self._iterator, END)
        return self._first

    def _keys(self, order: np.ndarray | None) -> Iterator[Any]:
        if self._is_used:
            if not self.restarts:
                return iter(())
            self._iterator = iter(self._iterable)
        self._is_used = True
        # Each fetch knows its iterator: one that comes late cannot take from the next pass.
        return itertools.repeat(self._iterator)

    def _start(self) -> Prefetcher:
        return Prefetcher(ThreadWorkers(1), lambda iterator: next(iterator, END), _AHEAD)

    def begin_pass_at(self, order: np.ndarray | None, position: int) -> int:
        """Begin a pass at a later batch than the first: those before are taken and dropped."""
        self.begin_pass(order)
        taken = 0
        if position and self._first is not None:
            self._first, taken = None, 1
        while taken < position and next(self._iterator, END) is not END:
            taken += 1
        return taken

    def allow(self, count: int | None) -> None:
        """Permit so many batches, one of which may have been fetched to learn shapes."""
        super().allow(count if count is None or self._first is None else count - 1)

    def take(self) -> Any:
        """Return the next batch, or END."""
        if self._first is not None:
            batch, self._first = self._first, None
            return batch
        return super().take()


class ArraySource(Source):
    """Batches cut from arrays, for steps that are not the engine's own."""

    def __init__(self, parts: tuple[Any, Any, Any], rows: int, batch: int) -> None:
        super().__init__()
        self._parts, self._rows, self._batch = parts, rows, batch
        self.length = -(-rows // batch)

    def first(self) -> Any:
        """Return the first batch."""
        return self._cut(np.arange(min(self._batch, self._rows)))

    def numbered(self) -> tuple[int, int]:
        """Return the number of rows, and of rows in a batch."""
        return self._rows, self._batch

    def _cut(self, rows: Any) -> Any:
        def one(array: Any) -> Any:
            return None if array is None else array[rows]

        return pack_x_y_sample_weight(*(tree.map_structure(one, part) for part in self._parts))

    def _keys(self, order: np.ndarray | None) -> Iterator[Any]:
        for begin in range(0, self._rows, self._batch):
            rows = slice(begin, begin + self._batch)
            yield rows if order is None else order[rows]

    def _start(self) -> Prefetcher:
        return Prefetcher(InlineWorker(), self._cut, 1)


def _nothing() -> None:
    pass


def _is_array_like(value: Any) -> bool:
    names = ("__array__", "__array_interface__", "__dlpack__", "to_numpy", "shape")
    return any(hasattr(value, name) for name in names) or is_on_gpu(value)


def gives_batches(x: Any) -> bool:
    """Tell whether data hands out batches: a generator, a data set, a loader."""
    if type(x) is np.ndarray:
        return False
    if isinstance(x, PyDataset) or hasattr(x, "__next__"):
        return True
    if isinstance(x, (list, tuple, dict, str, bytes, range, set)) or _is_array_like(x):
        return False
    if hasattr(x, "on_epoch_end") and hasattr(x, "__getitem__"):
        return True
    return callable(getattr(x, "__iter__", None))


def source_of(x: Any) -> Source:
    """Return the source of data that `gives_batches`."""
    by_number = hasattr(x, "__getitem__") and not hasattr(x, "__next__")
    if isinstance(x, PyDataset) or (by_number and hasattr(x, "on_epoch_end")):
        return DatasetSource(x)
    return IterableSource(x)
