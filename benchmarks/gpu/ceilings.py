"""What the GPU can do at best, by PyTorch: copy bandwidth and matrix rates, as one JSON object."""

from __future__ import annotations

import json
import statistics

import torch

SIZE = 8192
RUNS = 20


def seconds(work) -> float:
    """Median of several runs by events."""
    times = []
    for run in range(RUNS + 3):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        work()
        end.record()
        torch.cuda.synchronize()
        if run >= 3:
            times.append(begin.elapsed_time(end) / 1e3)
    return statistics.median(times)


def matrix_rate(dtype: torch.dtype, tf32: bool = False) -> float:
    """GFLOP/s of a product of random square matrices."""
    torch.backends.cuda.matmul.allow_tf32 = tf32
    a, b = (torch.randn(SIZE, SIZE, device="cuda", dtype=dtype) for _ in range(2))
    return 2 * SIZE**3 / seconds(lambda: a @ b) / 1e9


def main() -> None:
    source = torch.randn(1 << 29, device="cuda")
    target = torch.empty_like(source)
    found = {
        "gpu": torch.cuda.get_device_name(),
        "bandwidth": 8 * source.numel() / seconds(lambda: target.copy_(source)) / 1e9,
        "gflops": matrix_rate(torch.float32),
        "gflops_tf32": matrix_rate(torch.float32, tf32=True),
        "gflops_bf16": matrix_rate(torch.bfloat16),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
