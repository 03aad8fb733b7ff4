"""Builds the GPU part for its simulation on the host."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
INCLUDES = ["-Icsrc", "-Itests/cpp"]
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wno-psabi"]
LANGUAGE = ["-std=c++20", "-O1", "-fPIC", "-fvisibility=hidden", "-ffp-contract=fast"]
FLAGS = [*LANGUAGE, *INCLUDES, *WARNINGS, "-DDNNFAST_CUDA_SIM"]


def compiler() -> list[str]:
    """Returns the C++ compiler's command."""
    command = shlex.split(os.environ.get("CXX", "c++"))
    if shutil.which(command[0]) is None:
        pytest.skip(f"no C++ compiler: {command[0]} not found (set CXX)")
    return command


def sources(variable: str) -> list[str]:
    """Returns a list of sources of CMakeLists.txt."""
    text = (ROOT / "CMakeLists.txt").read_text()
    found = re.search(rf"^set\({variable}\s+([^)]*)\)", text, re.MULTILINE)
    assert found, variable
    return found.group(1).split()


def compile_objects(folder: Path, names: list[str], *flags: str) -> list[str]:
    """Compiles sources, two at a time, and returns the object files."""

    def compile_one(name: str) -> str:
        target = folder / (name.replace("/", "_") + ".o")
        command = [*compiler(), *FLAGS, *flags, "-c", "-xc++", name, "-o", str(target)]
        subprocess.run(command, cwd=ROOT, check=True)
        return str(target)

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(compile_one, names))


def build_library(folder: Path, *flags: str) -> Path:
    """Builds the library of the GPU part and returns its path."""
    names = sources("CUDA_SOURCES") + sources("CUDA_SIM_SOURCES")
    library = folder / "libdnnfast_cuda_sim.so"
    objects = compile_objects(folder, names, *flags)
    command = [*compiler(), "-shared", *flags, *objects, "-o", str(library)]
    subprocess.run(command, cwd=ROOT, check=True)
    return library


def build_program(folder: Path, source: str, *flags: str) -> Path:
    """Builds a C++ program that uses the simulation and returns its path."""
    program = folder / Path(source).stem
    objects = compile_objects(folder, [*sources("CUDA_SIM_SOURCES"), source], *flags)
    command = [*compiler(), *flags, *objects, "-o", str(program)]
    subprocess.run(command, cwd=ROOT, check=True)
    return program


def runtime(name: str) -> str:
    """Returns the path of a library of the compiler."""
    command = [*compiler(), f"-print-file-name={name}"]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    if not Path(found).is_file():
        pytest.skip(f"the compiler has no {name}")
    return found
