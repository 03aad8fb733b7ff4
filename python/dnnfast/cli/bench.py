"""`dnnfast bench`: single kernels beside the NumPy reference, NumPy in float32, and the peak."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

from dnnfast import config, engine, reference
from dnnfast.cli.peak import peak_gflops
from dnnfast.errors import unknown_name

DENSE = ("dense_forward", "dense_backward_weight", "dense_backward_input")
POINTWISE = ("relu", "elu", "dropout", "softmax", "batchnorm_forward")
# (batch, in, out): the layers of the small network of the lectures, a medium and a large one.
DENSE_SIZES = ((32, 784, 300), (32, 300, 100), (128, 512, 512), (512, 2048, 2048))
POINTWISE_SIZES = ((32, 300), (512, 2048))
# BLAS reads these once, when it is loaded.
THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")

# NumPy's threads keep a core busy for a while after a matrix product; ours must not wait for them.
_SETTLE_SECONDS = 0.2


@dataclass(frozen=True)
class Case:
    """A kernel and its sizes; `inputs` is 0 for kernels that keep the width.

    Args:
        kernel: name of the native kernel.
        batch: rows.
        inputs: features going in, 0 where they are as many as `outputs`.
        outputs: features coming out.
    """

    kernel: str
    batch: int
    inputs: int
    outputs: int

    @property
    def flops(self) -> float:
        """Floating-point operations of the matrix product; 0 for kernels without one."""
        return 2.0 * self.batch * self.inputs * self.outputs

    @property
    def bytes(self) -> float:
        """Bytes of one input and one output of an element-wise kernel."""
        return 8.0 * self.batch * self.outputs

    def sizes(self) -> dict[str, int]:
        """Return the sizes as the native timer takes them."""
        sizes = {"batch": self.batch, "out": self.outputs}
        return sizes | {"in": self.inputs} if self.inputs else sizes

    def label(self) -> str:
        """Return the sizes for a table.

        Example:
            >>> Case("relu", 32, 0, 300).label(), Case("dense_forward", 8, 4, 2).label()
            ('32 x 300', '8 x 4 -> 2')
        """
        return (
            f"{self.batch} x " + (f"{self.inputs} -> " if self.inputs else "") + f"{self.outputs}"
        )


@dataclass(frozen=True)
class Row:
    """One measured case; times in microseconds.

    Args:
        kernel: name of the kernel.
        sizes: its sizes as text.
        native: time of the native kernel.
        reference: time of the NumPy reference in float64.
        numpy: time of plain NumPy in float32.
        gflops: rate of the native kernel's product; 0 without one.
        peak_share: that rate over the measured peak; 0 without a product.
        gbytes: gigabytes per second that an element-wise kernel reads and writes; else 0.
    """

    kernel: str
    sizes: str
    native: float
    reference: float
    numpy: float
    gflops: float
    peak_share: float
    gbytes: float

    def cells(self) -> list[str]:
        """Return the texts of a table row; a ratio above 1 means that our kernel is faster."""
        rate = f"{self.gflops:.1f} GFLOP/s" if self.gflops else f"{self.gbytes:.1f} GB/s"
        share = f"{100 * self.peak_share:.0f} %" if self.gflops else "-"
        times = [f"{t:.2f}" for t in (self.native, self.reference, self.numpy)]
        ratios = [f"{t / self.native:.1f}" for t in (self.reference, self.numpy)]
        return [self.kernel, self.sizes, *times, *ratios, rate, share]


HEADER = [
    "kernel",
    "sizes",
    "dnnfast us",
    "reference us",
    "NumPy us",
    "x reference",
    "x NumPy",
    "rate",
    "of peak",
]


def cases(names: list[str]) -> list[Case]:
    """Return the cases of the named kernels, or of all.

    Raises:
        ValueError: if there is no such kernel.

    Example:
        >>> [case.label() for case in cases(["relu"])]
        ['32 x 300', '512 x 2048']
    """
    known = DENSE + POINTWISE
    for name in names:
        if name not in known:
            raise unknown_name("kernel", name, known)
    wanted = names or known
    found = [Case(k, *size) for size in DENSE_SIZES for k in DENSE if k in wanted]
    return found + [Case(k, b, 0, n) for b, n in POINTWISE_SIZES for k in POINTWISE if k in wanted]


def median_microseconds(work: Callable[[], object], repeats: int) -> float:
    """Return the median time of a call, from `repeats` runs of at least two milliseconds each.

    Example:
        >>> 0 < median_microseconds(lambda: None, 3) < 1e5
        True
    """
    calls = 1
    while True:
        start = time.perf_counter()
        for _ in range(calls):
            work()
        if time.perf_counter() - start > 0.002 or calls >= 1 << 16:
            break
        calls *= 2
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        for _ in range(calls):
            work()
        times.append((time.perf_counter() - start) / calls)
    return statistics.median(times) * 1e6


def comparison(case: Case) -> tuple[Callable[[], object], Callable[[], object]]:
    """Return the same computation as the reference does it and as plain float32 NumPy does it."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((case.batch, case.inputs or case.outputs), np.float32)
    if case.kernel in DENSE:
        return _dense_comparison(case, x, rng)
    one, zero = np.ones(case.outputs, np.float32), np.zeros(case.outputs, np.float32)
    kernel = case.kernel
    if kernel == "relu":
        return lambda: reference.activation_forward(x, "relu"), lambda: np.maximum(x, 0)
    if kernel == "elu":
        return (
            lambda: reference.activation_forward(x, "elu", 1.0),
            lambda: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
        )
    if kernel == "dropout":
        scale = np.float32(1.25)
        return (
            lambda: reference.dropout_forward(x, 0.2, 0, 0, 0),
            lambda: x * ((rng.random(x.shape, np.float32) >= 0.2) * scale),
        )
    if kernel == "softmax":
        return lambda: reference.softmax_forward(x), lambda: _softmax(x)
    return lambda: reference.batchnorm_forward(x, one, zero), lambda: _batchnorm(x, one, zero)


def _dense_comparison(
    case: Case, x: np.ndarray, rng: np.random.Generator
) -> tuple[Callable[[], object], Callable[[], object]]:
    w = rng.standard_normal((case.inputs, case.outputs), np.float32)
    b = np.zeros(case.outputs, np.float32)
    dy = rng.standard_normal((case.batch, case.outputs), np.float32)
    # Each backward product is timed on its own; the reference computes it from float64 copies.
    x64, w64, dy64 = (a.astype(np.float64) for a in (x, w, dy))
    if case.kernel == "dense_forward":
        return lambda: reference.dense_forward(x, w, b), lambda: x @ w + b
    if case.kernel == "dense_backward_weight":
        return lambda: (x64.T @ dy64, dy64.sum(0)), lambda: (x.T @ dy, dy.sum(0))
    return lambda: dy64 @ w64.T, lambda: dy @ w.T


def _softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def _batchnorm(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> np.ndarray:
    return (x - x.mean(0)) * (gamma / np.sqrt(x.var(0) + np.float32(1e-3))) + beta


def measure(case: Case, repeats: int, peak: float) -> Row:
    """Time one case three ways."""
    time.sleep(_SETTLE_SECONDS)
    native = engine.native().time_kernel(case.kernel, case.sizes(), repeats) * 1e6
    slow, plain = (median_microseconds(work, repeats) for work in comparison(case))
    gflops = case.flops / native / 1e3
    gbytes = 0.0 if case.flops else case.bytes / native / 1e3
    return Row(case.kernel, case.label(), native, slow, plain, gflops, gflops / peak, gbytes)


def run(args: argparse.Namespace) -> None:
    """Print the table, or one JSON object per line."""
    chosen = cases(args.kernels)
    if args.threads and any(os.environ.get(v) != str(args.threads) for v in THREAD_VARIABLES):
        _run_again(args)
        return
    if args.threads:
        config.set_threads(args.threads)
    peak = peak_gflops()
    if not args.json:
        bandwidth = engine.native().measure_peak()["bandwidth"]
        print(
            f"{config.threads()} threads; measured peak {peak:.1f} GFLOP/s, "
            f"memory {bandwidth:.1f} GB/s; median of {args.repeats}"
        )
        _print_cells(HEADER)
    for case in chosen:
        row = measure(case, args.repeats, peak)
        if args.json:
            print(json.dumps(asdict(row) | {"peak": peak, "threads": config.threads()}), flush=True)
        else:
            _print_cells(row.cells())


def _run_again(args: argparse.Namespace) -> None:
    """Run in a new process whose BLAS starts with the wanted number of threads."""
    environment = os.environ | {v: str(args.threads) for v in THREAD_VARIABLES}
    command = [sys.executable, "-m", "dnnfast", "bench", "--threads", str(args.threads)]
    command += ["--repeats", str(args.repeats), *(["--json"] if args.json else []), *args.kernels]
    sys.stdout.flush()
    status = subprocess.run(command, env=environment, check=False).returncode
    if status:
        raise OSError(f"the measuring process ended with status {status}")


def _print_cells(cells: list[str]) -> None:
    kernel, sizes, *numbers = cells
    print(f"{kernel:<22}{sizes:<20}" + "".join(f"{n:>14}" for n in numbers), flush=True)
