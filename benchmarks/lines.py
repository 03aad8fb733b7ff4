"""The lines in results/: reading them, whose machine they are from, and the names of the peers."""

from __future__ import annotations

import json
from pathlib import Path

US = "dnnfast"
JAX = "jax-scan"
# In the order of columns and legends.
TITLES = {
    "dnnfast": "dnnfast",
    "dnnfast-resident": "dnnfast (one kernel)",
    "dnnfast-tf32": "dnnfast (TF32)",
    "dnnfast-bf16": "dnnfast (bfloat16)",
    "jax-scan": "JAX (scan)",
    "keras-jax": "Keras (JAX)",
    "keras-tf": "Keras (TensorFlow)",
    "torch": "PyTorch",
    "torch-compiled": "PyTorch (compiled)",
    "torch-bf16": "PyTorch (compiled, bfloat16)",
    "numpy": "NumPy",
    "cupy": "CuPy",
    "sklearn": "scikit-learn",
}


def read(path: Path) -> list[dict]:
    """The lines of a results file, oldest first; none if there is no such file."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def machine_of(line: dict) -> str:
    """The machine's name in captions: the processor and its instruction sets.

    Names of rented processors say little, so two machines with one name differ by what they can
    do. Lines from before the instruction sets were recorded count as another machine.
    """
    if "gpu" in line["machine"]:
        return line["machine"]["gpu"]
    cpu, simd = line["machine"]["cpu"], line["machine"].get("simd", "")
    return f"{cpu} ({simd.replace(' ', ', ')})" if simd else cpu


def by_machine(lines: list[dict]) -> dict[str, list[dict]]:
    """The lines of each machine in their order; the machine with the newest line comes first."""
    found: dict[str, list[dict]] = {}
    for line in lines:
        found.setdefault(machine_of(line), []).append(line)
    newest = {name: max(line["time"] for line in group) for name, group in found.items()}
    return {name: found[name] for name in sorted(found, key=newest.__getitem__, reverse=True)}
