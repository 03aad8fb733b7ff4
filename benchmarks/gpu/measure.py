"""Times the workloads on a GPU: dnnfast as graphs and as one kernel, and its peers, in turn.

    python benchmarks/gpu/measure.py --ceilings CEILINGS.json --out FOLDER [--reduced]

Every peer needs a package of this interpreter; one that is not there is left out with a line that
says so. --reduced takes a few steps of small networks, and only dnnfast: to try out the script
where the GPU is simulated.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import driver
from workloads import LARGE, Workload, find

PACKAGES = {"dnnfast": "dnnfast", "jax": "jax", "torch": "torch", "cupy": "cupy"}
NAMES = ["lecture", "bndrop", "deep", "wide", "widebn", "mc_dropout", *LARGE]


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ceilings", required=True, help="file that ceilings.py printed")
    parser.add_argument("--out", required=True, help="folder for the results")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=240, help="no workload starts after that")
    parser.add_argument("--workloads", type=driver.names, default=NAMES)
    parser.add_argument("--reduced", action="store_true")
    return parser.parse_args()


def peers(reduced: bool) -> dict[str, str]:
    """The interpreters of the peers that are there."""
    found = {}
    for name, peer in driver.GPU_PEERS.items():
        if reduced and peer.environment != "dnnfast":
            print(f"{name}: left out where the GPU is simulated", file=sys.stderr)
        elif importlib.util.find_spec(PACKAGES[peer.environment]) is None:
            print(f"{name}: left out, there is no {peer.environment}", file=sys.stderr)
        else:
            found[name] = sys.executable
    return found


def for_work(settings: driver.Settings, work: Workload) -> driver.Settings:
    """Rounded operands where layers are wide, one kernel for all steps where they are not."""
    wide = max(work.hidden) >= 1024 or work.name.startswith("reduced-")
    narrow = max(work.hidden) < 1024

    def fits(name: str) -> bool:
        if name.endswith(("-tf32", "-bf16")):
            return wide and work.kind == "train"
        return narrow or not name.endswith("-resident")

    return replace(settings, peers={k: v for k, v in settings.peers.items() if fits(k)})


def main() -> int:
    args = parse()
    ceilings = json.loads(Path(args.ceilings).read_text())
    peaks = {"gflops": ceilings["gflops"], "bandwidth": ceilings["bandwidth"]}
    folder = Path(args.out)
    folder.mkdir(parents=True, exist_ok=True)
    settings = driver.Settings(
        peers(args.reduced),
        threads=1,
        rounds=1 if args.reduced else args.rounds,
        log=str(folder / "peers.log"),
        device="cuda",
    )
    end = time.monotonic() + args.seconds
    failed = False
    for name in args.workloads:
        work = find(f"reduced-{name}" if args.reduced else name)
        if time.monotonic() > end:
            print(f"{name}: left out, the time is up", file=sys.stderr)
            continue
        print(work.name, file=sys.stderr, flush=True)
        lines = driver.measure_workload(work, peaks, for_work(settings, work))
        for line in lines:
            line["machine"]["gpu"] = ceilings["gpu"]
        driver.append(str(folder / "training.jsonl"), lines)
        driver.show(lines)
        failed = failed or any("error" in line for line in lines if line["peer"] == "dnnfast")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
