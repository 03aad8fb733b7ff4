"""The GPU part, simulated: the engine's tests pass, and no order of threads changes a bit."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.graphs import GRAPHS
from engine.graphs_array import CASES
from gpu import simulation

PROGRAMS = ["tests/cpp/cuda_simulation_test.cpp", "tests/cpp/cuda_runtime_test.cpp"]
TRAINING = ["tests/engine/test_against_reference.py"]
ARRAYS = ["tests/engine/test_array.py", "-k", "not threads"]


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulation.build_library(tmp_path_factory.mktemp("cuda_sim"))


SANITIZED = pytest.param(["-fsanitize=address,undefined", "-g"], marks=pytest.mark.slow)


@pytest.mark.parametrize("flags", [[], SANITIZED], ids=["plain", "sanitized"])
def test_simulation_itself(flags: list[str], tmp_path: Path) -> None:
    for program in simulation.build_programs(tmp_path, PROGRAMS, *flags):
        done = subprocess.run([str(program)], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr


def run(library: Path, *arguments: str, **variables: str) -> bytes:
    """Runs Python, whose tests then use the simulated device, and returns what it printed."""
    environment = {
        **os.environ,
        "DNNFAST_TEST_DEVICE": "cuda:0",
        "DNNFAST_CUDA_LIBRARY": str(library),
        "PYTHONPATH": os.pathsep.join([str(simulation.ROOT / "tests"), *filter(None, sys.path)]),
        **variables,
    }
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=simulation.ROOT,
        env=environment,
        capture_output=True,
        timeout=900,
    )
    assert done.returncode == 0, (done.stdout[-4000:] + done.stderr[-4000:]).decode()
    return done.stdout


def run_tests(library: Path, *tests: str, **variables: str) -> None:
    run(library, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests, **variables)


def run_sanitized(folder: Path) -> None:
    library = simulation.build_library(folder, "-fsanitize=address", "-g")
    run_tests(
        library,
        *TRAINING,
        LD_PRELOAD=" ".join(simulation.runtime(name) for name in ("libasan.so", "libstdc++.so")),
        ASAN_OPTIONS="detect_leaks=0",
        PYTHONMALLOC="malloc",
    )


# Tests of the engine, of kernels and of models that run on the simulated device, the longest first.
SUITES: dict[str, Callable[[Path, Path], None]] = {
    # Finds kernels that leave their arrays, and host code that touches the device's memory.
    "training, sanitized": lambda library, folder: run_sanitized(folder),
    "kernels": lambda library, folder: run_tests(
        library, "tests/kernels", "-k", "not 1100 and not large", DNNFAST_DEVICE="cuda"
    ),
    "models": lambda library, folder: run_tests(library, "tests/api", "-k", "cuda"),
    "training": lambda library, folder: run_tests(library, *TRAINING),
    "arrays": lambda library, folder: run_tests(library, *ARRAYS),
    "processes": lambda library, folder: run_tests(
        library, "tests/distribution", "-k", "as_one and cuda and 2"
    ),
    "samples": lambda library, folder: run_tests(
        library, "tests/engine/test_samples.py", "-k", "reference"
    ),
    "training, waiting after each op": lambda library, folder: run_tests(
        library, *TRAINING, "-k", "trajectory", DNNFAST_CUDA_PLAIN="1"
    ),
}


@pytest.fixture(scope="session")
def suites(
    library: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> dict[str, Future[None]]:
    """The suites that were asked for, two at a time."""
    wanted = {item.name for item in request.session.items}
    if "DNNFAST_SANITIZED" in os.environ:  # the process is sanitized already
        wanted -= {name for name in wanted if "sanitized" in name}
    pool = ThreadPoolExecutor(2)
    return {
        name: pool.submit(suite, library, tmp_path_factory.mktemp("suite"))
        for name, suite in SUITES.items()
        if f"test_suite[{name}]" in wanted
    }


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow) if "sanitized" in name else name
        for name in SUITES
    ],
)
def test_suite(suites: dict[str, Future[None]], name: str) -> None:
    if name not in suites:
        pytest.skip("the process is sanitized already")
    suites[name].result()


def run_scenario(library: Path, call: str, **variables: str) -> bytes:
    return run(library, "-c", f"from gpu.scenarios import *; {call}", **variables)


def assert_same_output(library: Path, call: str, settings: list[dict[str, str]]) -> None:
    results = {run_scenario(library, call, **setting) for setting in settings}
    assert len(results) == 1 and results != {b""}


@pytest.mark.parametrize(
    "graphs",
    [["normalized"], ["regularized"], pytest.param(list(CASES), marks=pytest.mark.slow)],
    ids=" ".join,
)
def test_no_order_of_threads_changes_a_bit(library: Path, graphs: list[str]) -> None:
    call = f"print_trained_weights(*{graphs!r})"
    assert_same_output(library, call, [{"DNNFAST_SIM_SEED": str(seed)} for seed in range(4)])


@pytest.mark.parametrize("graphs", [*([name] for name in GRAPHS), list(CASES)], ids=" ".join)
def test_no_form_of_launch_changes_a_bit(library: Path, graphs: list[str]) -> None:
    call = f"print_trained_weights(*{graphs!r})"
    forms: list[dict[str, str]] = [
        {},
        {"DNNFAST_CUDA_FUSED": "0"},
        {"DNNFAST_CUDA_PLAIN": "1"},
        {"DNNFAST_CUDA_RESIDENT": "1"},
        {"DNNFAST_SIM_SMS": "132"},  # other pieces
    ]
    assert_same_output(library, call, forms)


@pytest.mark.parametrize("optimizer", ["adamax", "lamb", "adafactor", "muon"])
def test_no_form_of_launch_changes_a_bit_of_other_optimizers(library: Path, optimizer: str) -> None:
    options = "use_ema=1, gradient_accumulation_steps=2, global_clipnorm=0.5, weight_decay=0.1"
    call = f"print_trained_weights('regularized', optimizer={optimizer!r}, {options})"
    forms: list[dict[str, str]] = [
        {},
        {"DNNFAST_CUDA_FUSED": "0"},
        {"DNNFAST_CUDA_RESIDENT": "1"},
        {"DNNFAST_SIM_SMS": "132"},
        {"DNNFAST_SIM_SEED": "1"},
    ]
    assert_same_output(library, call, forms)


def test_kernels_a_step(library: Path) -> None:
    """At most 2 L for batches up to 128, else 3 L + 1."""
    printed = run_scenario(library, "print_kernel_counts()").decode().split("\n")
    counts = {line.split()[0]: tuple(map(int, line.split()[1:])) for line in printed if line}
    for name in ("lecture", "deep"):
        layers, kernels = counts[name]
        assert kernels <= 2 * layers, name
    for name in ("wide", "widebn"):
        layers, kernels = counts[name]
        assert kernels <= 3 * layers + 1, name


def test_a_described_device(library: Path) -> None:
    run_scenario(library, "a_described_device()")


def test_a_model_moves(library: Path) -> None:
    run_scenario(library, "a_model_moves()")


def test_devices_by_argument(library: Path) -> None:
    run_scenario(library, "devices_by_argument()", DNNFAST_DEVICE="cuda")


def test_precisions(library: Path) -> None:
    run_scenario(library, "precisions()")


def test_arrays_on_the_device(library: Path) -> None:
    run_scenario(library, "arrays_on_the_device()")


def test_kernels_on_the_device(library: Path) -> None:
    run_scenario(library, "kernels_on_the_device()")


def test_two_devices(library: Path) -> None:
    run_scenario(library, "two_devices()", DNNFAST_SIM_DEVICES="2")


def test_data_larger_than_the_device(library: Path) -> None:
    """Data that is fed in parts gives the same bits as data that lies on the device."""
    call = "print_results_of_a_large_data_set()"
    few = {"DNNFAST_SIM_MEMORY": "320000"}
    settings: list[dict[str, str]] = [{}, few, {**few, "DNNFAST_SIM_SEED": "1"}]
    assert_same_output(library, call, settings)


def test_a_device_that_is_too_small(library: Path) -> None:
    run_scenario(library, "a_device_that_is_too_small()", DNNFAST_SIM_MEMORY="50000")


def test_errors(library: Path) -> None:
    run_scenario(library, "errors()")
