"""Batches fetched ahead of their use, by threads or processes, in order."""

from __future__ import annotations

import collections
import concurrent.futures
import multiprocessing
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

# What a fetch returns when there is nothing left.
END: Any = type("End", (), {"__repr__": lambda self: "END"})()

# Seconds that closing waits for a fetch that is still running; its thread ends when it returns.
_PATIENCE = 10.0
_PATIENCE_AFTER_CTRL_C = 0.1


def _interrupted() -> bool:
    """Tell whether Ctrl-C is being answered."""
    return isinstance(sys.exc_info()[1], KeyboardInterrupt)


class ThreadWorkers:
    """Daemon threads that run tasks: a task that never returns does not keep the process alive."""

    def __init__(self, count: int) -> None:
        self._tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._serve, name=f"dnnfast-data-{i}", daemon=True)
            for i in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def _serve(self) -> None:
        while (item := self._tasks.get()) is not None:
            future, function, argument = item
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = function(argument)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)
            # Waiting for the next task must not keep a batch in memory.
            del item, future

    def submit(self, function: Callable[[Any], Any], argument: Any) -> Any:
        """Queue a task and return its future."""
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        self._tasks.put((future, function, argument))
        return future

    def close(self) -> None:
        """End the threads."""
        for _ in self._threads:
            self._tasks.put(None)
        patience = _PATIENCE_AFTER_CTRL_C if _interrupted() else _PATIENCE
        for thread in self._threads:
            thread.join(patience)


class InlineWorker:
    """Runs a task when its result is asked for."""

    def submit(self, function: Callable[[Any], Any], argument: Any) -> Any:
        """Return a future that computes."""
        return _Lazy(function, argument)

    def close(self) -> None:
        """Do nothing."""


class _Lazy:
    def __init__(self, function: Callable[[Any], Any], argument: Any) -> None:
        self._call = (function, argument)

    def result(self) -> Any:
        function, argument = self._call
        return function(argument)

    def cancel(self) -> None:
        pass


_dataset: Any = None  # of a worker process


def _keep(dataset: Any) -> None:
    global _dataset
    _dataset = dataset


def _item(index: Any) -> Any:
    return _dataset[int(index)]


class ProcessWorkers:
    """Processes that hold a copy of a data set and fetch its items."""

    def __init__(self, count: int, dataset: Any) -> None:
        # A fork needs no pickling: data sets of classes inside functions work, too.
        fork = "fork" in multiprocessing.get_all_start_methods()
        context: Any = multiprocessing.get_context("fork" if fork else None)
        self._pool = concurrent.futures.ProcessPoolExecutor(
            count, context, initializer=_keep, initargs=(dataset,)
        )

    def submit(self, function: Callable[[Any], Any], argument: Any) -> Any:
        """Queue the item with number ``argument``; the function is that of the process."""
        try:
            return self._pool.submit(_item, argument)
        except concurrent.futures.process.BrokenProcessPool:
            return _Lazy(_died, argument)

    def close(self) -> None:
        """End the processes."""
        self._pool.shutdown(wait=not _interrupted(), cancel_futures=True)


def _died(index: Any) -> Any:
    raise concurrent.futures.process.BrokenProcessPool(
        "a worker process of the data set ended without a result; run with "
        "use_multiprocessing=False to see why."
    )


class Prefetcher:
    """Calls ``fetch`` with keys ahead of time and hands out the results in order.

    Args:
        workers: what runs the calls.
        fetch: a function of a key.
        window: largest number of calls ahead.
    """

    def __init__(self, workers: Any, fetch: Callable[[Any], Any], window: int) -> None:
        self._workers, self._fetch, self._window = workers, fetch, max(1, window)
        self._waiting: collections.deque[Any] = collections.deque()
        self._keys: Iterator[Any] = iter(())
        self._allowed: int | None = 0

    def start(self, keys: Iterator[Any]) -> None:
        """Begin another sequence of keys; what was fetched ahead of the last one is dropped."""
        self.cancel()
        self._keys = keys

    def allow(self, count: int | None) -> None:
        """Permit so many results to be asked for from now on (None: any number)."""
        self._allowed = None if count is None else max(0, count - len(self._waiting))
        self._fill()

    def _fill(self) -> None:
        while len(self._waiting) < self._window and self._allowed != 0:
            key = next(self._keys, END)
            if key is END:
                return
            self._waiting.append(self._workers.submit(self._fetch, key))
            if self._allowed is not None:
                self._allowed -= 1

    def take(self) -> Any:
        """Return the next result, or END; raise what its fetch raised."""
        self._fill()
        if not self._waiting:
            return END
        result = self._waiting.popleft().result()
        if result is END:
            self._keys = iter(())
            self.cancel()
        self._fill()
        return result

    def cancel(self) -> None:
        """Drop the calls that have not begun, and the results nobody took."""
        while self._waiting:
            self._waiting.pop().cancel()

    def close(self) -> None:
        """Drop everything and end the workers."""
        self.cancel()
        self._workers.close()
