"""Runs `dnnfast bench` and appends its lines, with commit and machine, to results/kernels.jsonl.

python benchmarks/kernels.py [--threads N] [--python PATH]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import machine

HERE = Path(__file__).resolve().parent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--python", default=sys.executable, help="interpreter that has dnnfast")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--out", default=str(HERE / "results" / "kernels.jsonl"))
    args = parser.parse_args()
    machine.limit_to(args.threads)
    command = [args.python, "-m", "dnnfast", "bench", "--json"]
    command += ["--threads", str(args.threads), "--repeats", str(args.repeats)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=HERE)
    if result.returncode:
        print(result.stderr, file=sys.stderr)
        return result.returncode
    shared = machine.stamp()
    Path(args.out).parent.mkdir(parents=True, exist_ok=True)
    with open(args.out, "a") as out:
        for line in result.stdout.splitlines():
            out.write(json.dumps(shared | json.loads(line)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
