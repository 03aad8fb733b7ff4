"""What the machine is and how fast it can go: the denominators of floors and shares."""

from __future__ import annotations

import datetime
import json
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
CPUINFO = Path("/proc/cpuinfo")
CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
MEMINFO = Path("/proc/meminfo")
# Of the flags in /proc/cpuinfo those that decide which kernels can run.
INSTRUCTION_SETS = ("avx2", "avx512f", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16")
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "DNNFAST_THREADS",
)


def limit_to(threads: int) -> None:
    """Gives this process and its children the same processors and thread counts, whatever library
    they use.

    NumPy's BLAS reads the environment when it is loaded, so only children are limited for certain.
    """
    os.environ.update({v: str(threads) for v in THREAD_VARIABLES})
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def commit() -> str:
    """The commit of the working tree, with "+" when it has changes; empty outside git."""

    def git(*words: str) -> str:
        command = ["git", *words]
        return subprocess.run(command, cwd=HERE, capture_output=True, text=True).stdout.strip()

    return git("rev-parse", "--short=12", "HEAD") + ("+" if git("status", "--porcelain") else "")


def stamp() -> dict[str, object]:
    """What every result line says about when, where and from which sources it was measured."""
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    return {"time": now, "commit": commit(), "machine": describe()}


def read_text(path: Path) -> str:
    """The text of a file of the system; empty where there is none."""
    try:
        return path.read_text()
    except OSError:
        return ""


def field(text: str, name: str) -> str:
    """The value of the first line "name: value"; empty if there is none."""
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def cpu_name() -> str:
    """The processor's own name, where the system tells."""
    name = field(read_text(CPUINFO), "model name")
    return name or platform.processor() or platform.machine()


def instruction_sets() -> list[str]:
    """Those of `INSTRUCTION_SETS` that the processor has; none where the system does not tell."""
    flags = field(read_text(CPUINFO), "flags").split()
    return [name for name in INSTRUCTION_SETS if name in flags]


def cache_sizes() -> dict[str, str]:
    """Sizes of the second and third level cache of one processor, such as {"l2": "2048K"}."""
    sizes = {}
    for index in sorted(CACHES.glob("index*")):
        level, size = (read_text(index / name).strip() for name in ("level", "size"))
        if level in ("2", "3") and size:
            sizes["l" + level] = size
    return sizes


def memory_gib() -> float:
    """Size of the main memory; 0 where the system does not tell."""
    kib = field(read_text(MEMINFO), "MemTotal").split()
    return round(int(kib[0]) / (1 << 20), 1) if kib else 0.0


def describe() -> dict[str, object]:
    """Fields for a result line; what the system does not tell is left out."""
    found: dict[str, object] = {
        "cpu": cpu_name(),
        "cpus": os.cpu_count(),
        "system": platform.system(),
        "arch": platform.machine(),
    }
    more = {"simd": " ".join(instruction_sets()), **cache_sizes(), "memory_gib": memory_gib()}
    return found | {key: value for key, value in more.items() if value}


def _best_seconds(work: Callable[[], object], repeats: int) -> float:
    """The shortest of several runs: a peak is what the machine can do when nothing disturbs it."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def gemm_gflops(threads: int, size: int = 2048, repeats: int = 15) -> float:
    """Rate of a large float32 product in NumPy's BLAS, in GFLOP/s.

    It runs in a process whose BLAS was limited to `threads` before NumPy was imported (`limit_to`
    in the parent); the argument only scales the problem down for one thread.
    """
    rows = size if threads > 1 else size // 2
    a = np.random.default_rng(0).random((rows, size), dtype=np.float32)
    b = np.random.default_rng(1).random((size, size), dtype=np.float32)
    out = np.empty((rows, size), np.float32)
    return 2.0 * rows * size * size / _best_seconds(lambda: np.matmul(a, b, out=out), repeats) / 1e9


def bandwidth(threads: int, working_set: int, repeats: int = 7) -> float:
    """Bytes per second (in GB/s) read plus written by `threads` threads that copy within
    `working_set` bytes.

    The size matters: a model that fits a cache is bounded by the cache, not by main memory.
    """
    per_thread = max(working_set // (8 * threads), 1024)
    pairs = [
        (np.ones(per_thread, np.float32), np.empty(per_thread, np.float32)) for _ in range(threads)
    ]
    loops = max(1, (1 << 28) // (8 * per_thread * threads))

    def copy(pair: tuple[np.ndarray, np.ndarray]) -> None:
        for _ in range(loops):
            np.copyto(pair[1], pair[0])  # NumPy releases the interpreter lock inside.

    def all_threads() -> None:
        workers = [threading.Thread(target=copy, args=(pair,)) for pair in pairs]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    return loops * threads * 8.0 * per_thread / _best_seconds(all_threads, repeats) / 1e9


if __name__ == "__main__":
    # A process of its own, started by run.py: threads and the working sets in bytes as arguments.
    count = int(sys.argv[1])
    rates = {size: bandwidth(count, int(size)) for size in sys.argv[2:]}
    print(json.dumps({"gflops": gemm_gflops(count), "bandwidth": rates}))
