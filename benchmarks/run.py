"""Runs the workloads on dnnfast and its peers, interleaved, and appends one JSON line per peer and
workload.

    python benchmarks/run.py --python jax=VENV/bin/python --python torch=VENV/bin/python ...

A peer whose interpreter is not given (by --python or by the environment variable
DNNFAST_BENCH_PYTHON_<NAME>) is left out with a line that says so. See README.md in this folder.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import machine
from workloads import WORKLOADS, Workload

HERE = Path(__file__).resolve().parent


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
}


class Process:
    """A running peer."""

    def __init__(self, name: str, python: str, workload: str, args: argparse.Namespace) -> None:
        self.name = name
        self.samples: list[float] = []
        self.value = float("nan")
        peer = PEERS[name]
        command = [
            python,
            "-m",
            peer.module,
            "--workload",
            workload,
            "--threads",
            str(args.threads),
        ]
        command += ["--variant", peer.variant, "--data", args.data]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with open(args.log or os.devnull, "ab") as log:
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


def measure_workload(
    work: Workload, peaks: dict[str, float], args: argparse.Namespace
) -> list[dict]:
    """Starts every peer once, then takes `args.rounds` measurements of each in rotating order."""
    shared = {"workload": work.name, "threads": args.threads} | machine.stamp()
    shared |= {"data": "fashion-mnist" if args.data else "synthetic"}
    shared |= {"unit": "step" if work.kind == "train" else "call"}
    shared |= {"floor_us": round(floor_microseconds(work, peaks), 3)}
    shared |= {"peak": {key: round(value, 2) for key, value in peaks.items()}}
    running: list[Process] = []
    lines: list[dict] = []
    for name in args.peers:
        process = Process(name, args.interpreters[name], work.name, args)
        running.append(process)
        print(f"  {name}: {json.dumps(process.hello)}", file=sys.stderr, flush=True)
    active = [p for p in running if p.ready]
    for turn in range(args.rounds if active else 0):
        for i in range(len(active)):
            process = active[(i + turn) % len(active)]
            if process.ready:
                process.measure()
                time.sleep(0.05)  # Lets the thread pool of the last peer stop spinning.
    for process in running:
        process.close()
        lines.append(shared | summarize(process))
    return lines


def summarize(process: Process) -> dict:
    """Median and spread (quartiles, extremes) of one peer's microseconds per unit."""
    if not process.samples or not process.ready:
        reason = {k: process.hello[k] for k in ("skip", "error") if k in process.hello}
        return {"peer": process.name} | (reason or {"error": "no measurement"})
    samples = sorted(process.samples)
    quartiles = statistics.quantiles(samples, n=4) if len(samples) > 1 else [samples[0]] * 3
    numbers = {
        "median_us": statistics.median(samples),
        "q1_us": quartiles[0],
        "q3_us": quartiles[2],
    }
    numbers |= {"min_us": samples[0], "max_us": samples[-1]}
    result: dict = {"peer": process.name} | {k: round(v, 3) for k, v in numbers.items()}
    result |= {
        "rounds": len(samples),
        "first_value": process.hello["first_value"],
        "value": process.value,
    }
    return result | {
        "setup_seconds": round(process.hello["setup_seconds"], 2),
        "versions": process.hello["versions"],
    }


def interpreters_of(args: argparse.Namespace) -> dict[str, str]:
    """The interpreter of every peer; dnnfast and numpy fall back to the one that runs this."""
    given = dict(item.split("=", 1) for item in args.python)
    found = {}
    for name, peer in PEERS.items():
        variable = "DNNFAST_BENCH_PYTHON_" + peer.environment.upper()
        default = sys.executable if peer.environment in ("dnnfast", "numpy") else ""
        python = given.get(peer.environment) or os.environ.get(variable) or default
        if python:
            found[name] = python
        elif not args.peers or name in args.peers:
            print(
                f"{name}: left out; give --python {peer.environment}=... or set {variable}",
                file=sys.stderr,
            )
    return found


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--python", action="append", default=[], metavar="PEER=PATH", help="interpreter of a peer"
    )
    parser.add_argument(
        "--peers", type=lambda s: s.split(","), help=f"default: all of {','.join(PEERS)}"
    )
    parser.add_argument("--workloads", type=lambda s: s.split(","), default=list(WORKLOADS))
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--data", default="", help="folder with the Fashion-MNIST files (default: synthetic rows)"
    )
    parser.add_argument("--out", default=str(HERE / "results" / "training.jsonl"))
    parser.add_argument("--log", default="", help="file for what the peers print")
    args = parser.parse_args(argv)
    for given, known, what in (
        (args.peers or [], PEERS, "peer"),
        (args.workloads, WORKLOADS, "workload"),
    ):
        unknown = [name for name in given if name not in known]
        if unknown:
            parser.error(f"unknown {what} {unknown[0]!r}; known: {', '.join(known)}")
    return args


def measure_peaks(works: list[Workload], args: argparse.Namespace) -> list[dict[str, float]]:
    """The peaks beside each workload; the bandwidth is that of a working set of its size."""
    sizes = [str(int(work.bytes())) for work in works]
    command = [sys.executable, "-m", "machine", str(args.threads), *dict.fromkeys(sizes)]
    found = json.loads(subprocess.run(command, cwd=HERE, capture_output=True, check=True).stdout)
    return [{"gflops": found["gflops"], "bandwidth": found["bandwidth"][size]} for size in sizes]


def show(lines: list[dict]) -> None:
    for line in sorted(lines, key=lambda v: v.get("median_us", float("inf"))):
        reason = line.get("skip") or line.get("error")
        shown = reason or f"{line['median_us']:12.1f} us"
        print(f"  {line['peer']:<16}{shown}", file=sys.stderr, flush=True)


def main(argv: list[str] | None = None) -> int:
    args = parse(argv)
    machine.limit_to(args.threads)
    args.interpreters = interpreters_of(args)
    args.peers = [name for name in (args.peers or PEERS) if name in args.interpreters]
    works = [WORKLOADS[name] for name in args.workloads]
    Path(args.out).parent.mkdir(parents=True, exist_ok=True)
    for work, peaks in zip(works, measure_peaks(works, args), strict=True):
        print(f"{work.name} ({args.threads} threads)", file=sys.stderr, flush=True)
        lines = measure_workload(work, peaks, args)
        with open(args.out, "a") as out:
            for line in lines:
                out.write(json.dumps(line) + "\n")
        show(lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
