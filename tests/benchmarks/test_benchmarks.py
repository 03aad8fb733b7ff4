"""The scripts in benchmarks/, without the peers: arithmetic of the workloads, driver, tables."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def script(monkeypatch):
    """A function that imports a script of the folder."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


def test_work_of_a_training_step(script):
    lecture = script("workloads").WORKLOADS["lecture"]
    assert lecture.parameters == 266_610
    assert lecture.steps == 1875
    products = 784 * 300 + 300 * 100 + 100 * 10
    assert lecture.flops() == 2 * 32 * (3 * products - 784 * 300)
    assert lecture.bytes() == 8 * 266_610 + 4 * 32 * 784


def test_monte_carlo_counts_the_first_product_once(script):
    work = script("workloads").WORKLOADS["mc_dropout"]
    assert work.flops() == 2e4 * (784 * 300 + 100 * (300 * 100 + 100 * 10))


def test_every_epoch_is_made_of_whole_batches(script):
    for work in script("workloads").WORKLOADS.values():
        assert work.rows % work.batch == 0


def test_synthetic_data_look_like_fashion_mnist(script):
    x, y = script("data").synthetic(1000)
    assert x.shape == (1000, 784)
    assert x.dtype == "float32"
    assert 0 <= x.min() <= x.max() <= 1
    assert 0.4 < (x == 0).mean() < 0.6
    assert set(y.tolist()) == set(range(10))


def line(peer, median, **other):
    spread = {"median_us": median, "q1_us": 0.9 * median, "q3_us": 1.1 * median}
    shared = {"workload": "lecture", "threads": 2, "unit": "step", "floor_us": 50.0}
    shared |= {"machine": {"cpu": "A processor"}, "commit": "abc", "time": "2026-01-02T03:04:05"}
    return shared | {"peer": peer} | spread | other


def test_tables_show_ratios_losses_and_what_a_peer_cannot_do(script):
    tables = script("tables")
    skipped = line("sklearn", 1.0)
    for key in ("median_us", "q1_us", "q3_us"):
        del skipped[key]
    lines = [line("dnnfast", 300.0), line("dnnfast", 100.0), line("jax-scan", 150.0)]
    (table,) = tables.training_tables([*lines, skipped | {"skip": "no"}])
    assert "| `lecture` (step) | 100 ±10% | 150 ±10% | n/a | 50.0 | 1.50 (JAX (scan)) |" in table
    (table,) = tables.training_tables([line("dnnfast", 200.0), line("jax-scan", 100.0)])
    assert "**loss** 0.50 (JAX (scan))" in table


def test_tables_go_between_the_markers_and_nowhere_else(script, tmp_path):
    tables = script("tables")
    page = tmp_path / "page.md"
    page.write_text(f"before\n{tables.BEGIN}\nold\n{tables.END}\nafter\n")
    (tmp_path / "training.jsonl").write_text(json.dumps(line("dnnfast", 1.0)) + "\n")
    arguments = [str(page), "--results", str(tmp_path)]
    assert tables.main([*arguments, "--check"]) == 1
    assert tables.main(arguments) == 0
    assert tables.main([*arguments, "--check"]) == 0
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    with pytest.raises(ValueError, match="markers"):
        tables.replaced("no markers", "x")


def test_the_driver_runs_two_peers_and_writes_lines(tmp_path):
    out = tmp_path / "out.jsonl"
    command = [sys.executable, str(BENCHMARKS / "run.py"), "--peers", "dnnfast,numpy"]
    command += ["--workloads", "predict_one", "--rounds", "3", "--threads", "1", "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    rows = [json.loads(text) for text in out.read_text().splitlines()]
    assert [row["peer"] for row in rows] == ["dnnfast", "numpy"]
    for row in rows:
        assert row["rounds"] == 3
        assert 0 < row["min_us"] <= row["median_us"] <= row["max_us"]
        assert row["floor_us"] > 0
        assert row["machine"]["cpu"]


def test_the_driver_refuses_unknown_names(script):
    with pytest.raises(SystemExit):
        script("run").parse(["--workloads", "lectrue"])
