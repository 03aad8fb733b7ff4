"""`dnnfast info`: what a bug report needs to say about a machine and an installation."""

from __future__ import annotations

import argparse
import json
import os
import platform
from pathlib import Path

import numpy as np

import dnnfast
from dnnfast import config, engine
from dnnfast.datasets import fashion_mnist


def collect() -> dict[str, object]:
    """Return what `dnnfast info` prints, in the order in which it prints it.

    Example:
        >>> sorted(collect())[:3]
        ['accelerator', 'available', 'compiler']
    """
    native = engine.native().info()
    data = fashion_mnist.SOURCE.find()
    return {
        "dnnfast": dnnfast.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "system": platform.platform(),
        "processor": processor(),
        "features": native["isa"],
        "available": list(native["isa_available"]),
        "threads": config.threads(),
        "processors": os.cpu_count(),
        "compiler": native["compiler"],
        "accelerator": str(engine.cuda_library() or "not built"),
        "fashion_mnist": str(data) if data else "not on this machine; the packaged excerpt is used",
    }


def processor() -> str:
    """Return the name that the processor gives itself, or the architecture where none is known.

    Example:
        >>> isinstance(processor(), str)
        True
    """
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass  # Not Linux.
    return platform.processor() or platform.machine()


def run(args: argparse.Namespace) -> None:
    """Print the information, as text or as JSON."""
    found = collect()
    if args.json:
        print(json.dumps(found))
        return
    labels = {
        "features": "CPU features used",
        "available": "CPU features built and present",
        "accelerator": "GPU part",
        "fashion_mnist": "Fashion-MNIST",
        "dnnfast": "dnnfast",
        "numpy": "NumPy",
    }
    for key, value in found.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        print(f"{labels.get(key, key.capitalize()):<32}{shown}")
