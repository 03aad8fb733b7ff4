"""What run.py and scaling.py share: starting the peers, measuring them in turn, writing lines."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import machine
from workloads import Workload

HERE = Path(__file__).resolve().parent
PAUSE = 0.05  # Seconds between two peers: lets the thread pool of the last one stop spinning.


@dataclass(frozen=True)
class Peer:
    """How to start one peer: the module, the interpreter's key, and the variant passed on."""

    module: str
    environment: str
    variant: str = ""


PEERS = {
    "dnnfast": Peer("peers.dnnfast_fit", "dnnfast"),
    "numpy": Peer("peers.numpy_plain", "numpy"),
    "sklearn": Peer("peers.sklearn_mlp", "sklearn"),
    "torch": Peer("peers.torch_train", "torch"),
    "torch-compiled": Peer("peers.torch_train", "torch", "compiled"),
    "jax-scan": Peer("peers.jax_scan", "jax"),
    "keras-jax": Peer("peers.keras_fit", "keras"),
    "keras-tf": Peer("peers.keras_fit", "tf", "tensorflow"),
}
# On a GPU: our steps as graphs and as one kernel.
GPU_PEERS = {
    "dnnfast": PEERS["dnnfast"],
    "dnnfast-resident": Peer("peers.dnnfast_fit", "dnnfast", "resident"),
    "dnnfast-tf32": Peer("peers.dnnfast_fit", "dnnfast", "tf32"),
    "dnnfast-bf16": Peer("peers.dnnfast_fit", "dnnfast", "mixed_bfloat16"),
    "jax-scan": PEERS["jax-scan"],
    "torch": PEERS["torch"],
    "torch-compiled": PEERS["torch-compiled"],
    "cupy": Peer("peers.numpy_plain", "cupy"),
    "torch-bf16": Peer("peers.torch_train", "torch", "compiled-bf16"),
}


@dataclass(frozen=True)
class Settings:
    """How to measure.

    Args:
        peers: Interpreters by the name of the peer.
        threads: Threads, and processors, of every peer.
        rounds: Measurements of each peer and workload, the least number if `minutes` is given.
        minutes: Time for all workloads together, shared equally; 0 for no limit and just `rounds`.
        data: Folder with the Fashion-MNIST files, empty for synthetic rows.
        log: File for what the peers print, empty for nowhere.
        device: "cpu" or "cuda".
    """

    peers: dict[str, str]
    threads: int
    rounds: int
    minutes: float = 0.0
    data: str = ""
    log: str = ""
    device: str = "cpu"


class Process:
    """A running peer."""

    def __init__(self, name: str, workload: str, settings: Settings) -> None:
        self.name = name
        self.samples: list[float] = []
        self.value = float("nan")
        peer = (PEERS | GPU_PEERS)[name]
        command = [settings.peers[name], "-m", peer.module, "--workload", workload]
        command += ["--threads", str(settings.threads)]
        command += ["--variant", peer.variant, "--data", settings.data]
        command += ["--device", settings.device]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with open(settings.log or os.devnull, "ab") as log:
            self._process = subprocess.Popen(command, cwd=HERE, stderr=log, **pipes)
        self.hello = self._answer()

    def _answer(self) -> dict:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            return {"error": f"the process ended with status {self._process.wait()}"}
        return json.loads(line)

    @property
    def ready(self) -> bool:
        return bool(self.hello.get("ready"))

    def measure(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("measure\n")
        self._process.stdin.flush()
        reply = self._answer()
        if "error" in reply:
            self.hello = reply
            return
        self.samples.append(reply["seconds"] / reply["units"] * 1e6)
        self.value = reply["value"]

    def close(self) -> None:
        # A peer without a model has ended already and has closed its end of the pipe.
        try:
            self._process.communicate("quit\n", timeout=30)
        except (BrokenPipeError, ValueError):
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()


def floor_microseconds(work: Workload, peaks: dict[str, float]) -> float:
    """The least time of one unit: operations over the peak or bytes over the bandwidth."""
    return max(work.flops() / peaks["gflops"], work.bytes() / peaks["bandwidth"]) / 1e3


def shared_fields(work: Workload, peaks: dict[str, float], settings: Settings) -> dict:
    """What the lines of all peers of a workload have in common."""
    return {
        "workload": work.name,
        "threads": settings.threads,
        **machine.stamp(),
        "data": "fashion-mnist" if settings.data else "synthetic",
        "unit": "step" if work.kind == "train" else "call",
        "floor_us": round(floor_microseconds(work, peaks), 3),
        "peak": {key: round(value, 2) for key, value in peaks.items()},
    }


def measure_workload(
    work: Workload, peaks: dict[str, float], settings: Settings, seconds: float = 0.0
) -> list[dict]:
    """Starts every peer once, then measures each once per round, in rotating order.

    There are `settings.rounds` rounds, and more as long as fewer than `seconds` have passed.
    """
    end = time.monotonic() + seconds
    shared = shared_fields(work, peaks, settings)
    running: list[Process] = []
    for name in settings.peers:
        process = Process(name, work.name, settings)
        running.append(process)
        print(f"  {name}: {json.dumps(process.hello)}", file=sys.stderr, flush=True)
    turn = 0
    while turn < settings.rounds or time.monotonic() < end:
        active = [p for p in running if p.ready]
        if not active:
            break
        for i in range(len(active)):
            active[(i + turn) % len(active)].measure()
            time.sleep(PAUSE)
        turn += 1
    for process in running:
        process.close()
    return [shared | summarize(process) for process in running]


def spread(samples: list[float]) -> dict[str, float]:
    """Median, quartiles, extremes and number of samples, as fields of a line."""
    quartiles = statistics.quantiles(samples, n=4) if len(samples) > 1 else samples * 3
    numbers = {
        "median_us": statistics.median(samples),
        "q1_us": quartiles[0],
        "q3_us": quartiles[2],
        "min_us": min(samples),
        "max_us": max(samples),
    }
    return {k: round(v, 3) for k, v in numbers.items()} | {"rounds": len(samples)}


def summarize(process: Process) -> dict:
    """The line of one peer: microseconds per unit, or why there are none."""
    if not process.samples or not process.ready:
        reason = {k: process.hello[k] for k in ("skip", "error") if k in process.hello}
        return {"peer": process.name} | (reason or {"error": "no measurement"})
    return {
        "peer": process.name,
        **spread(process.samples),
        "first_value": process.hello["first_value"],
        "value": process.value,
        "setup_seconds": round(process.hello["setup_seconds"], 2),
        "versions": process.hello["versions"],
    }


def measure_peaks(works: list[Workload], threads: int) -> list[dict[str, float]]:
    """The peaks beside each workload; the bandwidth is that of a working set of its size."""
    sizes = [str(int(work.bytes())) for work in works]
    command = [sys.executable, "-m", "machine", str(threads), *dict.fromkeys(sizes)]
    found = json.loads(subprocess.run(command, cwd=HERE, capture_output=True, check=True).stdout)
    return [{"gflops": found["gflops"], "bandwidth": found["bandwidth"][size]} for size in sizes]


def measure_all(works: list[Workload], settings: Settings, out: str) -> None:
    """Measures the workloads one after the other and appends the lines of each to the file."""
    end = time.monotonic() + 60 * settings.minutes
    machine.limit_to(settings.threads)
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    peaks = measure_peaks(works, settings.threads)
    for i, work in enumerate(works):
        print(f"{work.name} ({settings.threads} threads)", file=sys.stderr, flush=True)
        share = (end - time.monotonic()) / (len(works) - i)
        lines = measure_workload(work, peaks[i], settings, share)
        append(out, lines)
        show(lines)


def append(path: str, lines: Iterable[dict]) -> None:
    """Adds lines to a results file."""
    with open(path, "a") as out:
        for line in lines:
            out.write(json.dumps(line) + "\n")


def show(lines: list[dict]) -> None:
    for line in sorted(lines, key=lambda v: v.get("median_us", float("inf"))):
        reason = line.get("skip") or line.get("error")
        shown = reason or f"{line['median_us']:12.1f} us"
        print(f"  {line['peer']:<16}{shown}", file=sys.stderr, flush=True)


def interpreters_of(given: list[str], wanted: list[str]) -> dict[str, str]:
    """The interpreter of every wanted peer that has one.

    dnnfast and numpy fall back to the interpreter that runs this. A line on stderr names each peer
    that is left out.

    Args:
        given: "peer=path" of the command line; they go before the environment.
        wanted: Names of peers.
    """
    by_environment = dict(item.split("=", 1) for item in given)
    found = {}
    for name in wanted:
        environment = (PEERS | GPU_PEERS)[name].environment
        variable = "DNNFAST_BENCH_PYTHON_" + environment.upper()
        default = sys.executable if environment in ("dnnfast", "numpy") else ""
        python = by_environment.get(environment) or os.environ.get(variable) or default
        if python:
            found[name] = python
        else:
            print(
                f"{name}: left out; give --python {environment}=... or set {variable}",
                file=sys.stderr,
            )
    return found


def names(text: str) -> list[str]:
    """The parts of a comma-separated option."""
    return text.split(",")


def add_options(parser: argparse.ArgumentParser, rounds: int, out: str) -> None:
    """Adds the options that all scripts with peers have, with this script's defaults."""
    parser.add_argument(
        "--python", action="append", default=[], metavar="PEER=PATH", help="interpreter of a peer"
    )
    parser.add_argument("--peers", type=names, help=f"some of {','.join(PEERS)}")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument(
        "--data", default="", help="folder with the Fashion-MNIST files (default: synthetic rows)"
    )
    parser.add_argument("--out", default=str(HERE / "results" / out))
    parser.add_argument("--log", default="", help="file for what the peers print")


def check_names(
    parser: argparse.ArgumentParser, given: list[str], known: Iterable[str], what: str
) -> None:
    """Ends the script with a message if a name is unknown."""
    known = list(known)
    for name in given:
        if name not in known:
            parser.error(f"unknown {what} {name!r}; known: {', '.join(known)}")


def settings_of(args: argparse.Namespace, peers: list[str], minutes: float = 0.0) -> Settings:
    """The settings given by parsed options; `peers` are those measured by default."""
    interpreters = interpreters_of(args.python, args.peers or peers)
    return Settings(interpreters, args.threads, args.rounds, minutes, args.data, args.log)
