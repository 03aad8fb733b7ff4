"""Runs the workloads on dnnfast and its peers, interleaved, and appends one JSON line per peer and
workload.

    python benchmarks/run.py --python jax=VENV/bin/python --python torch=VENV/bin/python ...

A peer whose interpreter is not given (by --python or by the environment variable
DNNFAST_BENCH_PYTHON_<NAME>) is left out with a line that says so. See README.md in this folder.
"""

from __future__ import annotations

import argparse
import sys

import driver
from workloads import WORKLOADS


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    driver.add_options(parser, rounds=7, out="training.jsonl")
    parser.add_argument("--workloads", type=driver.names, default=list(WORKLOADS))
    args = parser.parse_args(argv)
    driver.check_names(parser, args.peers or [], driver.PEERS, "peer")
    driver.check_names(parser, args.workloads, WORKLOADS, "workload")
    return args


def main(argv: list[str] | None = None) -> int:
    args = parse(argv)
    settings = driver.settings_of(args, list(driver.PEERS))
    driver.measure_all([WORKLOADS[name] for name in args.workloads], settings, args.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
