"""Measures what dnnfast costs apart from the arithmetic, and appends lines to
results/fixed_costs.jsonl.

    python benchmarks/fixed_costs.py [--rows 1000,100000,10000000] [--folder FOLDER]

The network is that of `lecture`: 784-300-100-10, ReLU, SGD, batch 32. Measured are the import; the
first `fit` of a process and a later one, both on 32 rows and less a step; predicting one row
through `predict`, through a call of the model and in NumPy; and a step of `fit` on shuffled uint8
rows in a memory-mapped file, with what `fit` needs before its first step (the order of the rows).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import driver
import machine
from workloads import CLASSES, INPUTS, WORKLOADS

HERE = Path(__file__).resolve().parent
BATCH = 32
WARM_STEPS = 1024  # Of the fit that tells what a warm step takes.
LATER_FITS = 21
CALLS = 200  # In one sample of a prediction.
CHUNK = 8192  # Rows written to the file at once.

# Samples in microseconds by measurement.
Samples = dict[str, list[float]]

TITLES = {
    "import": "`import dnnfast`, NumPy being loaded",
    "first_fit": "first `fit` of a process on 32 rows, less a step",
    "later_fit": "a later `fit` on 32 rows, less a step",
    "predict_one": "`model.predict(x, verbose=0)`, one row",
    "call_one": "`model(x)`, one row",
    "numpy_one": "the same products in NumPy, one row",
}


def title_of(what: str) -> str:
    """What a measurement is called in tables; `step-N` and `start-N` belong to N rows."""
    if what in TITLES:
        return TITLES[what]
    kind, rows = what.split("-")
    text = {"step": "a step of `fit`", "start": "`fit` before its first step"}[kind]
    return f"{text}, {int(rows):,} uint8 rows in a file"


def microseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1e6


def compiled_model(threads: int):
    """A fresh compiled model of `lecture`."""
    import dnnfast
    from peers.dnnfast_fit import network

    dnnfast.config.set_threads(threads)
    model = network(WORKLOADS["lecture"])
    # The bytes of the file are not scaled: a usual rate would drive the loss to infinity.
    optimizer = dnnfast.optimizers.SGD(1e-6)
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy")
    return model


def labels(rows: int) -> np.ndarray:
    return np.random.default_rng(2).integers(0, CLASSES, rows, dtype=np.int32)


def step_and_start(model, x, y, steps: int) -> tuple[float, float]:
    """Microseconds of one step, and of `fit` before its first step.

    They follow from a fit of many steps and a fit of one.
    """

    def fit(count: int) -> Callable[[], object]:
        return lambda: model.fit(x, y, batch_size=BATCH, steps_per_epoch=count, verbose=0)

    one, many = microseconds(fit(1)), microseconds(fit(steps))
    step = (many - one) / (steps - 1)
    return step, one - step


def measure_fit(args: argparse.Namespace) -> Samples:
    """In a fresh process: the import, the first fit, and the median of later fits."""
    begin = time.perf_counter()
    import dnnfast  # noqa: F401

    imported = (time.perf_counter() - begin) * 1e6
    model = compiled_model(args.threads)
    x = np.random.default_rng(1).random((BATCH, INPUTS), dtype=np.float32)
    y = labels(BATCH)

    def fit() -> object:
        return model.fit(x, y, batch_size=BATCH, epochs=1, verbose=0)

    first = microseconds(fit)
    later = float(np.median([microseconds(fit) for _ in range(LATER_FITS)]))
    step, _ = step_and_start(model, x, y, WARM_STEPS)
    return {"import": [imported], "first_fit": [first - step], "later_fit": [later - step]}


def measure_predict(args: argparse.Namespace) -> Samples:
    """One row through the model in two ways, and through the same products in NumPy."""
    model = compiled_model(args.threads)
    x = np.random.default_rng(1).random((1, INPUTS), dtype=np.float32)
    weights = [np.asarray(w) for w in model.get_weights()]
    pairs = list(zip(weights[::2], weights[1::2], strict=True))

    def in_numpy() -> np.ndarray:
        z = x
        for i, (kernel, bias) in enumerate(pairs):
            z = z @ kernel + bias
            if i < len(pairs) - 1:
                np.maximum(z, 0, out=z)
        z = np.exp(z - z.max())
        return z / z.sum()

    ways = {
        "predict_one": lambda: model.predict(x, verbose=0),
        "call_one": lambda: model(x),
        "numpy_one": in_numpy,
    }
    samples: Samples = {name: [] for name in ways}
    for turn in range(args.rounds + 1):
        for name, way in ways.items():
            took = microseconds(lambda way=way: [way() for _ in range(CALLS)]) / CALLS
            if turn:  # The first is the warm-up.
                samples[name].append(took)
    return samples


def write_rows(path: Path, rows: int) -> None:
    """Fills a file with rows of random bytes, the same ones again and again."""
    chunk = np.random.default_rng(3).integers(0, 256, (min(rows, CHUNK), INPUTS), dtype=np.uint8)
    with path.open("wb") as out:
        for begin in range(0, rows, CHUNK):
            out.write(chunk[: rows - begin].tobytes())


def measure_rows(args: argparse.Namespace) -> Samples:
    """Steps on a memory-mapped file of `args.count` rows."""
    model = compiled_model(args.threads)
    y = labels(args.count)
    samples: Samples = {f"step-{args.count}": [], f"start-{args.count}": []}
    with tempfile.TemporaryDirectory(dir=args.folder or None) as folder:
        path = Path(folder) / "rows.bin"
        write_rows(path, args.count)
        x = np.memmap(path, np.uint8, "r", shape=(args.count, INPUTS))
        step_and_start(model, x, y, args.steps)
        for _ in range(args.rounds):
            for kept, took in zip(
                samples.values(), step_and_start(model, x, y, args.steps), strict=True
            ):
                kept.append(took)
        del x
    return samples


CHILDREN = {"fit": measure_fit, "predict": measure_predict, "rows": measure_rows}


def in_process(args: argparse.Namespace, child: str, count: int = 0) -> Samples:
    """What one fresh process measures."""
    command = [args.python, "-m", "fixed_costs", "--child", child, "--count", str(count)]
    command += ["--threads", str(args.threads), "--rounds", str(args.rounds)]
    command += ["--steps", str(args.steps), "--folder", args.folder]
    result = subprocess.run(command, cwd=HERE, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(result.stdout)


def result_lines(samples: Samples, args: argparse.Namespace) -> list[dict]:
    """One line for each measurement."""
    stamp = machine.stamp()
    return [
        {"what": what, "title": title_of(what), "threads": args.threads, "unit": "call"}
        | stamp
        | driver.spread(taken)
        for what, taken in samples.items()
    ]


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    python = os.environ.get("DNNFAST_BENCH_PYTHON_DNNFAST", sys.executable)
    parser.add_argument("--python", default=python, help="interpreter that has dnnfast")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--processes", type=int, default=9, help="fresh processes for `fit`")
    parser.add_argument("--rounds", type=int, default=9, help="samples of everything else")
    parser.add_argument("--steps", type=int, default=2048, help="steps of a fit on a file")
    parser.add_argument(
        "--rows",
        type=lambda text: [int(float(part)) for part in text.split(",") if part],
        default=[1000, 10_000, 100_000, 1_000_000],
        help="sizes of the file, 784 bytes a row (1e7 rows take 7.8 GB); empty for none",
    )
    parser.add_argument("--folder", default="", help="where the file is made (default: temporary)")
    parser.add_argument("--out", default=str(HERE / "results" / "fixed_costs.jsonl"))
    parser.add_argument("--child", choices=list(CHILDREN), help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, default=0, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.steps < 2:
        parser.error("--steps must be at least 2")
    return args


def main(argv: list[str] | None = None) -> int:
    args = parse(argv)
    if args.child:
        print(json.dumps(CHILDREN[args.child](args)))
        return 0
    machine.limit_to(args.threads)
    Path(args.out).parent.mkdir(parents=True, exist_ok=True)
    runs = [in_process(args, "fit") for _ in range(args.processes)]
    found = {what: [run[what][0] for run in runs] for what in runs[0]} if runs else {}
    found |= in_process(args, "predict")
    for count in args.rows:
        found |= in_process(args, "rows", count)
    lines = result_lines(found, args)
    driver.append(args.out, lines)
    for line in lines:
        print(f"{line['median_us']:12.1f} us  {line['title']}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
