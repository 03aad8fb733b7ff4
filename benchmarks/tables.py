"""Writes the benchmark tables into Markdown files, from the lines in results/.

    python benchmarks/tables.py [README.md ...]

Each file needs the markers `<!-- bench:begin -->` and `<!-- bench:end -->`; what is between them is
replaced. With --check nothing is written and the exit status says whether the files are up to date.
For every workload, peer, machine and thread count the newest line counts. The machine measured last
comes first.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from lines import JAX, TITLES, US, by_machine, read
from workloads import WORKLOADS

HERE = Path(__file__).resolve().parent
BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
NO_GPU = (
    "**GPU: compiled and simulated, not yet measured.** `bash benchmarks/gpu/run_all.sh` on a "
    "machine that has one writes `benchmarks/results/gpu`, from which this table is made."
)
CHART = "Time of a training step over the width of the hidden layers and over the batch size"

# Lines by workload and peer.
Works = dict[str, dict[str, dict]]


def microseconds(value: float) -> str:
    """Three significant digits at least, thousands separated."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def cell(line: dict | None) -> str:
    """A peer's median with half its interquartile range in percent, or why there is none."""
    if line is None or "error" in line:
        return "failed" if line else ""
    if "skip" in line:
        return "n/a"
    spread = 50 * (line["q3_us"] - line["q1_us"]) / line["median_us"]
    return f"{microseconds(line['median_us'])} ±{spread:.0f}%"


def ratio_text(theirs: float, ours: float, name: str = "") -> str:
    """How many times faster we are than a peer; below 1 we lose."""
    text = f"{theirs / ours:.2f}" + (f" ({name})" if name else "")
    return text if theirs >= ours else f"**loss** {text}"


def verdicts(by_peer: dict[str, dict]) -> list[str]:
    """Our ratios against JAX and against the fastest other peer; empty where there is none."""
    medians = {name: line["median_us"] for name, line in by_peer.items() if "median_us" in line}
    ours = medians.pop(US, None)
    if ours is None or not medians:
        return ["", ""]
    best = min(medians, key=medians.__getitem__)
    jax = ratio_text(medians[JAX], ours) if JAX in medians else ""
    return [jax, ratio_text(medians[best], ours, TITLES[best])]


def single(one: dict | None, ours: dict | None) -> str:
    """Our time with one thread, and how many times faster all threads are."""
    if one is None or ours is None or "median_us" not in one or "median_us" not in ours:
        return cell(one)
    speedup = one["median_us"] / ours["median_us"]
    return f"{microseconds(one['median_us'])} ({speedup:.2f}x)"


def markdown(header: list[str], rows: list[list[str]]) -> str:
    align = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [header, align, *rows])


def training_tables(lines: list[dict]) -> list[str]:
    """One table for every machine and thread count.

    Our times with one thread are a column of the tables with more; they have a table of their own
    only if there is no other, or if peers were measured with one thread too.
    """
    tables = []
    for name, group in by_machine(lines).items():
        counts: dict[int, Works] = {}
        for line in group:  # Later lines replace earlier ones.
            works = counts.setdefault(line["threads"], {})
            works.setdefault(line["workload"], {})[line["peer"]] = line
        one = counts.get(1, {})
        ours = {work: peers[US] for work, peers in one.items() if US in peers}
        if len(counts) > 1 and all(set(peers) == {US} for peers in one.values()):
            counts.pop(1, None)
        tables += [
            training_table(name, threads, counts[threads], ours if threads > 1 else {})
            for threads in sorted(counts, reverse=True)
        ]
    return tables


def training_table(name: str, threads: int, works: Works, one: dict[str, dict]) -> str:
    """The table of a machine and a thread count; `one` holds our lines with one thread."""
    everything = [line for by_peer in works.values() for line in by_peer.values()]
    present = [p for p in TITLES if any(line["peer"] == p for line in everything)]
    shown = [work for work in WORKLOADS if work in works]
    with_one = US in present and any(work in one for work in shown)
    rows = []
    for work in shown:
        by_peer = works[work]
        any_line = next(iter(by_peer.values()))
        cells = [cell(by_peer.get(peer)) for peer in present]
        if with_one:
            cells.insert(1, single(one.get(work), by_peer.get(US)))
        floor = microseconds(by_peer.get(US, any_line)["floor_us"])
        rows.append([f"`{work}` ({any_line['unit']})", *cells, floor, *verdicts(by_peer)])
    titles = [TITLES[p] for p in present]
    if with_one:
        titles.insert(1, "dnnfast, 1 thread")
    header = ["workload", *titles, "floor", "against JAX", "against the best"]
    caption = training_caption(name, threads, everything, with_one)
    return caption + "\n\n" + markdown(header, rows)


def training_caption(name: str, threads: int, everything: list[dict], with_one: bool) -> str:
    newest = max(everything, key=lambda line: line["time"])
    versions: dict[str, str] = {}
    for line in everything:
        versions |= line.get("versions", {})
    plural = "" if threads == 1 else "s"
    speedup = f" In brackets: how many times faster {threads} threads are." if with_one else ""
    return (
        f"Microseconds per step or call, median ± half the interquartile range; {threads} "
        f"thread{plural}, {name}.{speedup} Floor: operations over the measured peak or bytes over "
        f"the measured bandwidth. Last columns: times of JAX (scan) and of the fastest other peer "
        f"over ours. Measured {newest['time'][:10]} at {newest['commit'] or 'an unknown commit'}; "
        + ", ".join(f"{k} {v}" for k, v in sorted(versions.items()))
        + "."
    )


def kernel_tables(lines: list[dict]) -> list[str]:
    """One table of single kernels for every machine and thread count."""
    tables = []
    for name, group in by_machine(lines).items():
        counts: dict[int, dict[tuple[str, str], dict]] = {}
        for line in group:
            counts.setdefault(line["threads"], {})[line["kernel"], line["sizes"]] = line
        tables += [kernel_table(name, n, counts[n]) for n in sorted(counts, reverse=True)]
    return tables


def kernel_table(name: str, threads: int, by_case: dict[tuple[str, str], dict]) -> str:
    peak = max(line["peak"] for line in by_case.values())
    plural = "" if threads == 1 else "s"
    caption = (
        f"Single kernels, microseconds, {threads} thread{plural}, {name}; measured peak "
        f"{peak:.0f} GFLOP/s. Ratios above 1: our kernel is faster."
    )
    header = ["kernel", "sizes", "dnnfast", "reference (float64)", "NumPy (float32)"]
    header += ["x reference", "x NumPy", "rate", "of peak"]
    return caption + "\n\n" + markdown(header, [kernel_row(line) for line in by_case.values()])


def kernel_row(line: dict) -> list[str]:
    times = [microseconds(line[key]) for key in ("native", "reference", "numpy")]
    ratios = [f"{line[key] / line['native']:.1f}" for key in ("reference", "numpy")]
    product = line["gflops"] > 0
    rate = f"{line['gflops']:.0f} GFLOP/s" if product else f"{line['gbytes']:.1f} GB/s"
    share = f"{100 * line['peak_share']:.0f} %" if product else ""
    return [f"`{line['kernel']}`", line["sizes"], *times, *ratios, rate, share]


def fixed_cost_tables(lines: list[dict]) -> list[str]:
    """One table of costs that do not depend on the network for every machine and thread count."""
    tables = []
    for name, group in by_machine(lines).items():
        counts: dict[int, dict[str, dict]] = {}
        for line in group:
            counts.setdefault(line["threads"], {})[line["what"]] = line
        for threads in sorted(counts, reverse=True):
            by_what = counts[threads].values()
            plural = "" if threads == 1 else "s"
            caption = (
                f"Fixed costs of dnnfast with 784-300-100-10, microseconds, median ± half the "
                f"interquartile range, {threads} thread{plural}, {name}."
            )
            rows = [[line["title"], cell(line)] for line in by_what]
            tables.append(caption + "\n\n" + markdown(["what", "time"], rows))
    return tables


def accuracy_table(lines: list[dict]) -> list[str]:
    """What `accuracy.py` reached, if it has been run."""
    if not lines:
        return []
    caption = "Accuracy on all of Fashion-MNIST (`benchmarks/accuracy.py`)."
    rows = [
        [line["net"], f"{100 * line['accuracy']:.1f} %", f"{100 * line['goal']:.0f} %"]
        for line in lines
    ]
    return [caption + "\n\n" + markdown(["net", "reached", "aim"], rows)]


def image(chart: Path, page: Path) -> list[str]:
    """A link from a page to the chart, if there is one."""
    if not chart.exists():
        return []
    link = Path(os.path.relpath(chart.resolve(), page.resolve().parent)).as_posix()
    return [f"![{CHART}]({link})"]


def replaced(text: str, content: str) -> str:
    """The text with what is between the markers replaced.

    Raises:
        ValueError: the markers are missing or out of order.
    """
    begin, end = text.find(BEGIN), text.find(END)
    if begin < 0 or end < begin:
        raise ValueError(f"the markers {BEGIN} and {END} are missing")
    return text[: begin + len(BEGIN)] + "\n\n" + content + "\n\n" + text[end:]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = [str(HERE.parent / "README.md"), str(HERE / "README.md")]
    parser.add_argument("files", nargs="*", default=default)
    parser.add_argument("--results", default=str(HERE / "results"))
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    args = parser.parse_args(argv)
    results = Path(args.results)
    training = training_tables(read(results / "training.jsonl"))
    training += training_tables(read(results / "gpu" / "training.jsonl")) or [NO_GPU]
    others = accuracy_table(read(results / "accuracy.jsonl"))
    others += fixed_cost_tables(read(results / "fixed_costs.jsonl"))
    others += kernel_tables(read(results / "kernels.jsonl"))
    stale = []
    for path in map(Path, args.files):
        old = path.read_text()
        parts = [*training, *image(results / "scaling.svg", path), *others]
        new = replaced(old, "\n\n".join(parts) or "No results yet.")
        if new != old:
            stale.append(str(path))
            if not args.check:
                path.write_text(new)
    print("changed:" if not args.check else "out of date:", ", ".join(stale) or "nothing")
    return 1 if args.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
