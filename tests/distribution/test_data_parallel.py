"""Two and four processes train as one with larger batches does."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import dnnfast as keras

PROGRAM = Path(__file__).with_name("together.py")
# Where an MPI library was installed by pip, mpirun lies beside Python.
MPIRUN = shutil.which("mpirun", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")


def numbers(path, device, processes):
    command = [sys.executable, str(PROGRAM), str(path), device]
    command = [*command, "alone"] if processes == 1 else [MPIRUN, "-n", str(processes), *command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("Epoch 3/3") == 3, "only one process prints"
    with np.load(path) as file:
        return [file[name] for name in file.files]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    made = {}

    def of(device):
        if device not in made:
            made[device] = numbers(folder / f"{len(made)}.npz", device, 1)
        return made[device]

    return of


@pytest.mark.skipif(MPIRUN is None, reason="there is no mpirun here")
@pytest.mark.parametrize("processes", [2, 4])
def test_several_processes_train_as_one(tmp_path, alone, device, processes):
    pytest.importorskip("mpi4py")
    found = numbers(tmp_path / "found.npz", device, processes)
    for a, b in zip(found, alone(device), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-6)


class Fake:
    """A process of a group, without the others."""

    def __init__(self, rank, size):
        self.rank, self.size = rank, size

    part_of = keras.distribution.DataParallel.part_of
    slice_of = keras.distribution.DataParallel.slice_of


@pytest.mark.parametrize("rows", [1, 2, 23, 24, 25, 29])
def test_parts_are_a_partition_and_steps_fit_together(rows):
    order = np.random.default_rng(rows).permutation(rows)
    parts = [Fake(rank, 3).part_of(order, rows, 4) for rank in range(3)]
    assert sorted(np.concatenate(parts)) == list(range(rows))
    for step in range(rows // 12):
        taken = np.concatenate([part[4 * step : 4 * step + 4] for part in parts])
        np.testing.assert_array_equal(taken, order[12 * step : 12 * step + 12])
    assert max(len(part) for part in parts) <= 4 * -(-rows // 12)
    slices = [Fake(rank, 3).slice_of(rows) for rank in range(3)]
    assert [i for s in slices for i in range(s.start, s.stop)] == list(range(rows))


def test_bad_arguments():
    with pytest.raises(TypeError, match="DataParallel"):
        keras.distribution.set_distribution("mpi")
    assert keras.distribution.distribution() is None


def test_a_missing_mpi_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "mpi4py.MPI", None)
    with pytest.raises(ImportError, match=r"dnnfast\[mpi\]"):
        keras.distribution.DataParallel()


def test_what_one_process_must_do():
    pytest.importorskip("mpi4py")
    with keras.distribution.DataParallel().scope():
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        with pytest.raises(ValueError, match="takes arrays"):
            model.fit(iter([(np.zeros((2, 2)), np.zeros((2, 1)))]), verbose=0)
        x = np.random.default_rng(0).random((10, 2))
        model.fit(x, x[:, :1], verbose=0)
    assert keras.distribution.distribution() is None
