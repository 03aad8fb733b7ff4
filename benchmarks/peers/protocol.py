"""The conversation between the driver and a peer process, one JSON object per line.

The peer builds its model, compiles and warms up, and answers {"ready": ...}. For each line
"measure" it runs one measurement (an epoch, or a number of calls) and answers {"seconds", "units",
"value"}; "quit" ends it. Keeping the process alive lets the driver interleave peers without paying
for compilation again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from data import load
from workloads import Workload, find

WARMUP_RUNS = 2


class NotExpressible(Exception):
    """The peer's library has no way to say this workload; the message names what is missing."""


@dataclass
class Job:
    """What a peer is to build: a variant such as "compiled", on the device "cpu" or "cuda"."""

    workload: Workload
    x: np.ndarray
    y: np.ndarray
    threads: int
    variant: str
    device: str


def _parse() -> Job:
    parser = argparse.ArgumentParser()
    parser.add_argument("--workload", type=find, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--variant", default="")
    parser.add_argument("--data", default="")
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    x, y = load(args.workload.rows, args.data)
    return Job(args.workload, x, y, args.threads, args.variant, args.device)


def serve(build: Callable[[Job], tuple[Callable[[], float], dict[str, str]]]) -> None:
    """Runs a peer.

    Args:
        build: Makes the model and returns a function that performs one measurement and returns a
            check value (the
            mean training loss of the epoch, or a sum over predictions), and the versions to record.
    """
    # Libraries print to stdout at will; the driver must see nothing but our lines there.
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(**fields: object) -> None:
        channel.write(json.dumps(fields) + "\n")
        channel.flush()

    job = _parse()
    start = time.perf_counter()
    try:
        run, versions = build(job)
        first = run()
        for _ in range(WARMUP_RUNS - 1):
            run()
    except NotExpressible as reason:
        answer(skip=str(reason))
        return
    except Exception as error:  # The driver reports it and goes on with the other peers.
        answer(error=f"{type(error).__name__}: {error}"[:500])
        raise
    answer(
        ready=True, versions=versions, setup_seconds=time.perf_counter() - start, first_value=first
    )
    for line in sys.stdin:
        if line.strip() != "measure":
            break
        start = time.perf_counter()
        value = run()
        seconds = time.perf_counter() - start
        answer(seconds=seconds, units=job.workload.units, value=float(value))
