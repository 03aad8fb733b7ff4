"""Builds the GPU part for its simulation on the host."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from layout.sources import ROOT, cmake_list
from toolchain import compiler

INCLUDES = ["-Icsrc", "-Itests/cpp"]
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wno-psabi", "-Wno-unknown-pragmas"]
LANGUAGE = ["-std=c++20", "-O1", "-fPIC", "-fvisibility=hidden", "-ffp-contract=fast"]
FLAGS = [*LANGUAGE, *INCLUDES, *WARNINGS, "-DDNNFAST_CUDA_SIM"]


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
    names = cmake_list("CUDA_SOURCES") + cmake_list("CUDA_SIM_SOURCES")
    library = folder / "libdnnfast_cuda_sim.so"
    objects = compile_objects(folder, names, *flags)
    command = [*compiler(), "-shared", *flags, *objects, "-o", str(library)]
    subprocess.run(command, cwd=ROOT, check=True)
    return library


def build_programs(folder: Path, names: list[str], *flags: str) -> list[Path]:
    """Builds C++ programs that use the simulation and returns their paths."""
    simulation = compile_objects(folder, cmake_list("CUDA_SIM_SOURCES"), *flags)
    programs = []
    for name, own in zip(names, compile_objects(folder, names, *flags), strict=True):
        programs.append(folder / Path(name).stem)
        command = [*compiler(), *flags, *simulation, own, "-o", str(programs[-1])]
        subprocess.run(command, cwd=ROOT, check=True)
    return programs


def runtime(name: str) -> str:
    """Returns the path of a library of the compiler."""
    command = [*compiler(), f"-print-file-name={name}"]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    if not Path(found).is_file():
        pytest.skip(f"the compiler has no {name}")
    return found
