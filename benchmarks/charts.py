"""Draws results/scaling.svg from results/scaling.jsonl: step times over width and over batch size.

    python benchmarks/charts.py [--out FILE]

Needs matplotlib. For every point and peer the newest line of the machine measured last counts, with
the most threads it was measured with. The same lines always make the same file.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from lines import TITLES, by_machine, read
from workloads import scaling_point

HERE = Path(__file__).resolve().parent
COLOURS = {
    "dnnfast": "#c1121f",
    "jax-scan": "#1f6fb4",
    "keras-jax": "#6cb0d6",
    "keras-tf": "#e08a1e",
    "torch": "#6a3d9a",
    "torch-compiled": "#a98bc8",
    "numpy": "#2f8f4e",
    "sklearn": "#8a8a8a",
}
# The kind of a point, what its number is, and the network.
PANELS = (
    ("width", "width W of the two hidden layers", "784-W-W-10, ReLU, Adam, batch 32"),
    ("batch", "rows in a batch", "784-300-100-10, ReLU, SGD"),
)

# Points (number, microseconds) by kind and peer.
Curves = dict[str, dict[str, list[tuple[int, float]]]]


def newest(lines: list[dict]) -> list[dict]:
    """The newest line of each point and peer, for the machine measured last and most threads."""
    groups = by_machine(lines)
    if not groups:
        return []
    group = next(iter(groups.values()))
    threads = max(line["threads"] for line in group)
    found = {(v["workload"], v["peer"]): v for v in group if v["threads"] == threads}
    return list(found.values())


def curves(lines: list[dict]) -> Curves:
    """What is drawn: points in ascending order, peers in the order of the legend."""
    found: Curves = {kind: {} for kind, _, _ in PANELS}
    for peer in TITLES:
        for line in lines:
            if line["peer"] == peer and "median_us" in line and scaling_point(line["workload"]):
                kind, number = line["workload"].split("-")
                found[kind].setdefault(peer, []).append((int(number), line["median_us"]))
    return {
        kind: {peer: sorted(points) for peer, points in by_peer.items()}
        for kind, by_peer in found.items()
    }


def duration(microseconds: float, _position: int | None = None) -> str:
    """A tick's label in the unit that fits."""
    for unit, size in (("s", 1e6), ("ms", 1e3)):
        if microseconds >= size:
            return f"{microseconds / size:g} {unit}"
    return f"{microseconds:g} µs"


def draw_panel(axes: Any, by_peer: dict[str, list[tuple[int, float]]], label: str) -> None:
    """Draws the lines of one panel; ours lies above the others."""
    for peer, points in by_peer.items():
        numbers, times = zip(*points, strict=True)
        ours = peer == "dnnfast"
        axes.plot(
            numbers,
            times,
            color=COLOURS[peer],
            linewidth=2.4 if ours else 1.5,
            marker="o",
            markersize=4.5 if ours else 3.5,
            zorder=3 if ours else 2,
            label=TITLES[peer],
        )
    ticks = sorted({number for points in by_peer.values() for number, _ in points})
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(duration)
    axes.set_xlabel(label)
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def draw(lines: list[dict], path: Path) -> None:
    """Writes the chart; the suffix of the path chooses the format."""
    import matplotlib

    matplotlib.use("Agg")
    # Without the salt the identifiers in an SVG would be random.
    matplotlib.rcParams.update({"svg.hashsalt": "dnnfast", "font.size": 9.5})
    from matplotlib import pyplot

    chosen = newest(lines)
    found = curves(chosen)
    figure, both = pyplot.subplots(1, 2, figsize=(9.2, 4.4), sharey=True, layout="constrained")
    for axes, (kind, label, network) in zip(both, PANELS, strict=True):
        draw_panel(axes, found[kind], label)
        axes.set_title(network, fontsize=9.5, color="#444444")
    both[0].set_ylabel("time of a training step")
    legend: dict[str, Any] = {}
    for axes in both:
        for handle, title in zip(*axes.get_legend_handles_labels(), strict=True):
            legend.setdefault(title, handle)
    figure.legend(
        legend.values(),
        legend.keys(),
        loc="outside upper center",
        ncols=min(len(legend), 6),
        frameon=False,
    )
    figure.supxlabel(caption(chosen), fontsize=8, color="#666666")
    metadata = {"Date": None} if path.suffix == ".svg" else None
    figure.savefig(path, metadata=metadata, facecolor="white", dpi=100)
    pyplot.close(figure)


def caption(lines: list[dict]) -> str:
    """Where and when the lines were measured."""
    last = max(lines, key=lambda line: line["time"])
    plural = "" if last["threads"] == 1 else "s"
    cpu = next(iter(by_machine([last])))
    return f"{cpu}, {last['threads']} thread{plural}, measured {last['time'][:10]}"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", default=str(HERE / "results" / "scaling.jsonl"))
    parser.add_argument("--out", default=str(HERE / "results" / "scaling.svg"))
    args = parser.parse_args(argv)
    lines = read(Path(args.results))
    if not any("median_us" in line for line in newest(lines)):
        print("nothing to draw: run scaling.py first", file=sys.stderr)
        return 1
    draw(lines, Path(args.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
