"""Data-parallel training over MPI, and NCCL between GPUs."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
from collections.abc import Iterator
from typing import Any

import numpy as np

from dnnfast.distribution import current


class DataParallel:
    """Processes that train one model together: each has all of the model and a part of the data.

    Start them by ``mpirun -n N python -m mpi4py train.py``; every process runs the same program. In
    each step of `fit` a process takes ``batch_size`` samples of its own, the gradients become their
    mean over all processes in one all-reduce, and all take the same step: N processes with batches
    of B train as one with batches of N x B (a method known as synchronous data parallelism, see
    P. Goyal and others, 2017, arXiv:1706.02677). All processes must be given the same data, in the
    same order. `fit` begins with the weights and the seed of process 0; its logs, and those of
    `evaluate`, are over all processes, the logs of single batches over the process's own.
    Batch normalization takes the moments of a process's own samples; the moving statistics become
    their mean after each epoch. Dropout draws its bits per process.

    Args:
        communicator: of mpi4py; default ``MPI.COMM_WORLD``.
        nccl: whether gradients on GPUs are exchanged by NCCL, through CuPy, one GPU a process;
            else they go through the host. Default: where CuPy with NCCL is installed.

    Raises:
        ImportError: if mpi4py is not installed.

    Example:
        >>> import dnnfast as keras
        >>> together = keras.distribution.DataParallel()
        >>> keras.distribution.set_distribution(together)
        >>> together.rank, together.size
        (0, 1)
        >>> keras.distribution.set_distribution(None)
    """

    def __init__(self, communicator: Any = None, *, nccl: bool | None = None) -> None:
        try:
            self._mpi = importlib.import_module("mpi4py.MPI")
        except ImportError as error:
            raise ImportError(
                "DataParallel needs mpi4py and an MPI library: pip install 'dnnfast[mpi]'"
            ) from error
        self._communicator = communicator or self._mpi.COMM_WORLD
        self._nccl = _has_nccl() if nccl is None else nccl
        self._nccl_communicator: Any = None

    @property
    def rank(self) -> int:
        """The number of this process, from 0."""
        return int(self._communicator.Get_rank())

    @property
    def size(self) -> int:
        """The number of processes."""
        return int(self._communicator.Get_size())

    @contextlib.contextmanager
    def scope(self) -> Iterator[DataParallel]:
        """Train by these processes inside of a ``with``.

        Example:
            >>> import dnnfast as keras
            >>> with keras.distribution.DataParallel().scope() as together:
            ...     keras.distribution.distribution() is together
            True
        """
        before = current.distribution()
        current.set_distribution(self)
        try:
            yield self
        finally:
            current.set_distribution(before)

    # What training uses.

    def exchanges_on(self, device: str) -> bool:
        """Tell whether gradients stay on a device while they are exchanged."""
        return device.startswith("cuda") and self._nccl

    def exchange(self, gradients: Any, rows: int, finite: bool) -> bool:
        """Make gradients their mean over the processes, weighted by the rows of each.

        Args:
            gradients: a vector, changed in place; or address and length of one on a GPU.
            rows: samples in this process's step, 0 or more.
            finite: whether its loss is.

        Returns whether the loss is finite in all processes; otherwise the gradients stay.
        """
        total, failures = self.sums(np.asarray([rows, not finite], np.float64))
        if failures:
            return False
        share = rows / total
        if isinstance(gradients, tuple):
            address, length = gradients
            self._sum_on_gpu(address, length, share)
        else:
            gradients *= gradients.dtype.type(share)
            self._communicator.Allreduce(self._mpi.IN_PLACE, gradients)
        return True

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Return the sums of an array over the processes."""
        total = np.array(values, np.float64)
        self._communicator.Allreduce(self._mpi.IN_PLACE, total)
        return total

    def any(self, value: bool) -> bool:
        """Tell whether something holds in some process."""
        return bool(self.sums(np.asarray([value], np.float64))[0])

    def of_first(self, value: Any) -> Any:
        """Return what process 0 has."""
        return self._communicator.bcast(value)

    def part_of(self, order: np.ndarray | None, rows: int, batch: int) -> np.ndarray:
        """Return the rows that this process takes of an order of all: `batch` of them a step.

        What is left for the last step is divided evenly; some processes may have nothing then.
        """
        order = np.arange(rows) if order is None else order
        rank, size = self.rank, self.size
        whole = rows - rows % (batch * size)
        own = order[:whole].reshape(-1, size, batch)[:, rank].ravel()
        rest = order[whole:]
        return np.concatenate([own, rest[self.slice_of(len(rest))]])

    def slice_of(self, rows: int) -> slice:
        """Return this process's part of a number of rows."""
        return slice(rows * self.rank // self.size, rows * (self.rank + 1) // self.size)

    def _sum_on_gpu(self, address: int, length: int, share: float) -> None:
        cupy, nccl = importlib.import_module("cupy"), importlib.import_module("cupy.cuda.nccl")
        if self._nccl_communicator is None:
            number = nccl.get_unique_id() if self.rank == 0 else None
            number = self.of_first(number)
            self._nccl_communicator = nccl.NcclCommunicator(self.size, number, self.rank)
        memory = cupy.cuda.UnownedMemory(address, 4 * length, self)
        values = cupy.ndarray((length,), "float32", cupy.cuda.MemoryPointer(memory, 0))
        values *= cupy.float32(share)
        stream = cupy.cuda.get_current_stream()
        self._nccl_communicator.allReduce(
            address, address, length, nccl.NCCL_FLOAT32, nccl.NCCL_SUM, stream.ptr
        )
        stream.synchronize()


def _has_nccl() -> bool:
    if importlib.util.find_spec("cupy") is None:
        return False
    try:
        return bool(importlib.import_module("cupy.cuda.nccl").available)
    except ImportError:
        return False
