"""Measures the time of a training step over the width of the network and over the batch size.

    python benchmarks/scaling.py --python jax=VENV/bin/python --python torch=VENV/bin/python ...

The points are the workloads `width-16` ... `width-4096` (784-W-W-10, ReLU, Adam, batch 32) and
`batch-1` ... `batch-4096` (784-300-100-10, ReLU, SGD); any other number may be asked for with
--points. Lines have the same form as those of run.py. charts.py draws them.
"""

from __future__ import annotations

import argparse
import sys

import driver
from workloads import SCALING, scaling_point

PEERS = ("dnnfast", "jax-scan", "torch", "keras-jax", "keras-tf")


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    driver.add_options(parser, rounds=5, out="scaling.jsonl")
    parser.add_argument(
        "--points", type=driver.names, default=list(SCALING), help="such as width-256,batch-64"
    )
    parser.add_argument(
        "--budget-minutes",
        type=float,
        default=0.0,
        metavar="M",
        help="go on after --rounds while this time, shared equally by the points, lasts",
    )
    args = parser.parse_args(argv)
    driver.check_names(parser, args.peers or [], driver.PEERS, "peer")
    for name in args.points:
        if scaling_point(name) is None:
            parser.error(f"unknown point {name!r}; known: width-N and batch-N")
    return args


def main(argv: list[str] | None = None) -> int:
    args = parse(argv)
    settings = driver.settings_of(args, list(PEERS), args.budget_minutes)
    points = [scaling_point(name) for name in args.points]
    driver.measure_all([point for point in points if point], settings, args.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
