"""What the compiler of the GPU part says of its kernels, where there is one."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from layout.sources import ROOT

REGISTERS = 128  # two blocks of 256 threads a multiprocessor
# Bytes that a function may keep in local memory for want of registers: around calls and edges.
SPILLED = 240
ARCHITECTURES = ["80", "86", "89", "90a", "100", "120"]
FLAGS = ["-std=c++20", "-O3", "--expt-relaxed-constexpr", "-Icsrc", "-Xcompiler=-fPIC"]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("nvcc") is None, reason="there is no nvcc here")
def test_kernels_stay_within_their_registers(tmp_path: Path) -> None:
    targets = [f"-gencode=arch=compute_{a},code=sm_{a}" for a in ARCHITECTURES]
    verbose = ["-Xptxas=-v", "--Werror=all-warnings", "--threads=0"]
    command = [
        "nvcc",
        *FLAGS,
        *targets,
        *verbose,
        "-c",
        "csrc/cuda/kernels.cu",
        "-o",
        str(tmp_path / "k.o"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    registers = [int(n) for n in re.findall(r"Used (\d+) registers", done.stderr)]
    assert registers and max(registers) <= REGISTERS
    spills = re.findall(
        r"Function properties for (\S+)\n.*?(\d+) bytes spill stores, (\d+) bytes", done.stderr
    )
    assert len(spills) > 30 * len(ARCHITECTURES)
    assert not {
        name: (stores, loads)
        for name, stores, loads in spills
        if max(int(stores), int(loads)) > SPILLED
    }
