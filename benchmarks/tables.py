"""Writes the benchmark tables into Markdown files, from the lines in results/.

    python benchmarks/tables.py [README.md ...]

Each file needs the markers `<!-- bench:begin -->` and `<!-- bench:end -->`; what is between them is
replaced. With --check nothing is written and the exit status says whether the files are up to date.
For every workload, peer, machine and thread count the newest line counts.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from workloads import WORKLOADS

HERE = Path(__file__).resolve().parent
BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
US = "dnnfast"
PEERS = ("dnnfast", "jax-scan", "keras-jax", "torch", "torch-compiled", "numpy", "sklearn")
TITLES = {
    "dnnfast": "dnnfast",
    "jax-scan": "JAX (scan)",
    "keras-jax": "Keras (JAX)",
    "torch": "PyTorch",
    "torch-compiled": "PyTorch (compiled)",
    "numpy": "NumPy",
    "sklearn": "scikit-learn",
}


def read(path: Path) -> list[dict]:
    """The lines of a results file, oldest first; none if there is no such file."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


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


def verdict(by_peer: dict[str, dict]) -> str:
    """How many times faster we are than the fastest other peer; below 1 we lose."""
    medians = {name: line["median_us"] for name, line in by_peer.items() if "median_us" in line}
    ours = medians.pop(US, None)
    if ours is None or not medians:
        return ""
    name = min(medians, key=medians.__getitem__)
    ratio = medians[name] / ours
    text = f"{ratio:.2f} ({TITLES[name]})"
    return text if ratio >= 1 else f"**loss** {text}"


def markdown(header: list[str], rows: list[list[str]]) -> str:
    align = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [header, align, *rows])


def training_tables(lines: list[dict]) -> list[str]:
    """One table for every machine and thread count."""
    groups: dict[tuple[str, int], dict[str, dict[str, dict]]] = {}
    for line in lines:
        group = groups.setdefault((line["machine"]["cpu"], line["threads"]), {})
        # Later lines replace earlier ones.
        group.setdefault(line["workload"], {})[line["peer"]] = line
    return [training_table(*key, works) for key, works in sorted(groups.items())]


def training_table(cpu: str, threads: int, works: dict[str, dict[str, dict]]) -> str:
    everything = [line for by_peer in works.values() for line in by_peer.values()]
    present = [p for p in PEERS if any(line["peer"] == p for line in everything)]
    rows = []
    for name in (name for name in WORKLOADS if name in works):
        by_peer = works[name]
        any_line = next(iter(by_peer.values()))
        unit = f"`{name}` ({any_line['unit']})"
        cells = [cell(by_peer.get(peer)) for peer in present]
        floor = microseconds(by_peer.get(US, any_line)["floor_us"])
        rows.append([unit, *cells, floor, verdict(by_peer)])
    newest = max(everything, key=lambda line: line["time"])
    versions: dict[str, str] = {}
    for line in everything:
        versions |= line.get("versions", {})
    plural = "" if threads == 1 else "s"
    caption = (
        f"Microseconds per step or call, median ± half the interquartile range; {threads} "
        f"thread{plural}, {cpu}. Floor: operations over the measured peak or bytes over the "
        f"measured bandwidth. Last column: time of the fastest other peer over ours. Measured "
        f"{newest['time'][:10]} at {newest['commit'] or 'an unknown commit'}; "
        + ", ".join(f"{k} {v}" for k, v in sorted(versions.items()))
        + "."
    )
    header = ["workload", *(TITLES[p] for p in present), "floor", "against the best"]
    return caption + "\n\n" + markdown(header, rows)


def kernel_tables(lines: list[dict]) -> list[str]:
    """One table of single kernels for every machine and thread count."""
    groups: dict[tuple[str, int], dict[tuple[str, str], dict]] = {}
    for line in lines:
        group = groups.setdefault((line["machine"]["cpu"], line["threads"]), {})
        group[line["kernel"], line["sizes"]] = line
    tables = []
    for (cpu, threads), by_case in sorted(groups.items()):
        rows = [kernel_row(line) for line in by_case.values()]
        peak = max(line["peak"] for line in by_case.values())
        caption = (
            f"Single kernels, microseconds, {threads} threads, {cpu}; measured peak "
            f"{peak:.0f} GFLOP/s. Ratios above 1: our kernel is faster."
        )
        header = ["kernel", "sizes", "dnnfast", "reference (float64)", "NumPy (float32)"]
        header += ["x reference", "x NumPy", "rate", "of peak"]
        tables.append(caption + "\n\n" + markdown(header, rows))
    return tables


def kernel_row(line: dict) -> list[str]:
    times = [microseconds(line[key]) for key in ("native", "reference", "numpy")]
    ratios = [f"{line[key] / line['native']:.1f}" for key in ("reference", "numpy")]
    product = line["gflops"] > 0
    rate = f"{line['gflops']:.0f} GFLOP/s" if product else f"{line['gbytes']:.1f} GB/s"
    share = f"{100 * line['peak_share']:.0f} %" if product else ""
    return [f"`{line['kernel']}`", line["sizes"], *times, *ratios, rate, share]


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
    tables = training_tables(read(results / "training.jsonl"))
    tables += kernel_tables(read(results / "kernels.jsonl"))
    content = "\n\n".join(tables) or "No results yet."
    stale = []
    for path in map(Path, args.files):
        old = path.read_text()
        new = replaced(old, content)
        if new != old:
            stale.append(str(path))
            if not args.check:
                path.write_text(new)
    print("changed:" if not args.check else "out of date:", ", ".join(stale) or "nothing")
    return 1 if args.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
