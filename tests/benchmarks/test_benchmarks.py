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
    row = "| `lecture` (step) | 100 ±10% | 150 ±10% | n/a | 50.0 | 1.50 | 1.50 (JAX (scan)) |"
    assert row in table
    (table,) = tables.training_tables([line("dnnfast", 200.0), line("jax-scan", 100.0)])
    assert "| **loss** 0.50 | **loss** 0.50 (JAX (scan)) |" in table


def test_the_best_peer_need_not_be_jax(script):
    lines = [line("dnnfast", 100.0), line("jax-scan", 150.0), line("torch", 120.0)]
    (table,) = script("tables").training_tables(lines)
    assert table.endswith("| 1.50 | 1.20 (PyTorch) |")


def test_our_time_with_one_thread_is_a_column(script):
    two = [line("dnnfast", 100.0), line("numpy", 300.0)]
    (table,) = script("tables").training_tables([*two, line("dnnfast", 183.0, threads=1)])
    assert "| workload | dnnfast | dnnfast, 1 thread | NumPy |" in table
    assert "| 100 ±10% | 183 (1.83x) | 300 ±10% |" in table
    assert "2 threads" in table


def test_one_thread_has_a_table_when_peers_were_measured_with_it(script):
    one = [line("dnnfast", 183.0, threads=1), line("numpy", 500.0, threads=1)]
    first, second = script("tables").training_tables([line("dnnfast", 100.0), *one])
    assert "2 threads" in first and "183 (1.83x)" in first
    assert "; 1 thread," in second and "500 ±10%" in second
    (alone,) = script("tables").training_tables(one[:1])
    assert "; 1 thread," in alone


def test_every_machine_has_tables_and_the_newest_comes_first(script):
    older = line("dnnfast", 1.0)
    simd = {"cpu": "A processor", "simd": "avx2 avx512f"}
    newer = line("dnnfast", 2.0, machine=simd, time="2026-01-03T00:00:00")
    for lines in ([older, newer], [newer, older]):
        first, second = script("tables").training_tables(lines)
        assert "A processor (avx2, avx512f)" in first
        assert "A processor." in second


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


def test_tables_link_the_chart_from_where_the_page_is(script, tmp_path):
    tables = script("tables")
    chart = tmp_path / "benchmarks" / "results" / "scaling.svg"
    assert tables.image(chart, tmp_path / "README.md") == []
    chart.parent.mkdir(parents=True)
    chart.touch()
    (link,) = tables.image(chart, tmp_path / "README.md")
    assert link.endswith("](benchmarks/results/scaling.svg)")
    (link,) = tables.image(chart, tmp_path / "benchmarks" / "README.md")
    assert link.endswith("](results/scaling.svg)")


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
    for name, option, value in (
        ("run", "--workloads", "lectrue"),
        ("run", "--workloads", "width-64"),
        ("run", "--peers", "troch"),
        ("scaling", "--points", "depth-3"),
        ("scaling", "--points", "batch-0"),
    ):
        with pytest.raises(SystemExit):
            script(name).parse([option, value])


def test_peers_without_an_interpreter_are_left_out(script, monkeypatch, capsys):
    driver = script("driver")
    for peer in driver.PEERS.values():
        monkeypatch.delenv("DNNFAST_BENCH_PYTHON_" + peer.environment.upper(), raising=False)
    monkeypatch.setenv("DNNFAST_BENCH_PYTHON_TORCH", "from-environment")
    wanted = ["dnnfast", "keras-tf", "torch", "jax-scan"]
    found = driver.interpreters_of(["jax=given"], wanted)
    expected = {"dnnfast": sys.executable, "torch": "from-environment", "jax-scan": "given"}
    assert found == expected
    assert "keras-tf: left out" in capsys.readouterr().err


def test_rounds_go_on_until_the_time_is_used_up(script, monkeypatch):
    driver, work = script("driver"), script("workloads").WORKLOADS["lecture"]
    clock = iter(range(100))
    monkeypatch.setattr(driver.time, "monotonic", lambda: next(clock))

    class Stub:
        name, ready = "dnnfast", True
        hello = {"first_value": 1.0, "setup_seconds": 0.5, "versions": {}}

        def __init__(self, *_):
            self.samples, self.value = [], 0.0

        def measure(self):
            self.samples.append(7.0)

        def close(self):
            pass

    monkeypatch.setattr(driver, "Process", Stub)
    monkeypatch.setattr(driver, "PAUSE", 0.0)
    settings = driver.Settings({"dnnfast": "python"}, threads=1, rounds=2)
    peaks = {"gflops": 1.0, "bandwidth": 1.0}
    (least,) = driver.measure_workload(work, peaks, settings)
    assert least["rounds"] == 2 and least["median_us"] == 7.0
    (longer,) = driver.measure_workload(work, peaks, settings, seconds=10)
    assert longer["rounds"] > 2


def test_scaling_points_are_apart_from_the_workloads(script):
    workloads = script("workloads")
    assert not set(workloads.SCALING) & set(workloads.WORKLOADS)
    assert len(workloads.WORKLOADS) == 9
    for name, work in workloads.SCALING.items():
        assert workloads.find(name) == work
        assert work.rows % work.batch == 0
        assert 8 <= work.steps <= 1024
    wide, small = workloads.find("width-4096"), workloads.find("batch-1")
    assert (wide.hidden, wide.optimizer, wide.batch) == ((4096, 4096), "adam", 32)
    assert (small.hidden, small.optimizer, small.batch) == ((300, 100), "sgd", 1)
    assert workloads.find("width-48").hidden == (48, 48)
    with pytest.raises(ValueError, match="lectrue"):
        workloads.find("lectrue")


def test_scaling_writes_lines_like_those_of_the_driver(tmp_path):
    out = tmp_path / "out.jsonl"
    command = [sys.executable, str(BENCHMARKS / "scaling.py"), "--peers", "dnnfast"]
    command += ["--points", "batch-1", "--rounds", "2", "--threads", "1", "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    (row,) = (json.loads(text) for text in out.read_text().splitlines())
    assert (row["workload"], row["peer"], row["unit"]) == ("batch-1", "dnnfast", "step")
    assert row["rounds"] == 2 and 0 < row["q1_us"] <= row["q3_us"]


def point(name, peer, median, **other):
    return line(peer, median, workload=name, **other)


def test_the_chart_shows_the_newest_lines_of_one_machine(script):
    charts = script("charts")
    lines = [
        point("width-64", "dnnfast", 9.0),
        point("width-64", "dnnfast", 20.0),
        point("width-16", "dnnfast", 10.0),
        point("batch-4", "torch", 30.0),
        point("batch-4", "dnnfast", 40.0, threads=1),
        point("batch-1", "torch", 1.0, machine={"cpu": "Another"}, time="2025-01-01T00:00:00"),
    ]
    found = charts.curves(charts.newest(lines))
    assert found == {
        "width": {"dnnfast": [(16, 10.0), (64, 20.0)]},
        "batch": {"torch": [(4, 30.0)]},
    }


def test_the_chart_is_the_same_every_time(script, tmp_path):
    pytest.importorskip("matplotlib")
    lines = [point(f"{kind}-{n}", "dnnfast", n) for kind in ("width", "batch") for n in (16, 64)]
    results = tmp_path / "scaling.jsonl"
    results.write_text("".join(json.dumps(one) + "\n" for one in lines))
    charts, made = script("charts"), []
    for name in ("a.svg", "b.svg"):
        assert charts.main(["--results", str(results), "--out", str(tmp_path / name)]) == 0
        made.append((tmp_path / name).read_bytes())
    assert made[0] == made[1]
    assert b"<dc:date>" not in made[0]
    assert charts.main(["--results", str(tmp_path / "none.jsonl"), "--out", "unused.svg"]) == 1


def test_every_peer_has_a_title_and_a_colour(script):
    driver = script("driver")
    assert set(driver.PEERS) == set(script("charts").COLOURS)
    assert {*driver.PEERS, *driver.GPU_PEERS} == set(script("lines").TITLES)


def test_fixed_costs_are_measured_and_shown(script, tmp_path):
    out = tmp_path / "fixed_costs.jsonl"
    command = [sys.executable, str(BENCHMARKS / "fixed_costs.py"), "--processes", "1"]
    command += ["--rounds", "2", "--steps", "8", "--rows", "100", "--threads", "1"]
    subprocess.run([*command, "--out", str(out)], check=True, capture_output=True)
    rows = {row["what"]: row for row in map(json.loads, out.read_text().splitlines())}
    expected = {"import", "first_fit", "later_fit", "predict_one", "call_one", "numpy_one"}
    assert set(rows) == expected | {"step-100", "start-100"}
    assert rows["first_fit"]["median_us"] > 0
    (table,) = script("tables").fixed_cost_tables(list(rows.values()))
    assert "| a step of `fit`, 100 uint8 rows in a file |" in table


def test_a_file_of_rows_has_its_size(script, tmp_path):
    fixed_costs = script("fixed_costs")
    rows = fixed_costs.CHUNK + 3
    fixed_costs.write_rows(tmp_path / "rows", rows)
    assert (tmp_path / "rows").stat().st_size == rows * 784


def test_the_machine_is_described_by_what_the_system_tells(script, monkeypatch, tmp_path):
    machine = script("machine")
    (tmp_path / "cpuinfo").write_text("model name\t: A processor\nflags\t\t: fpu avx2 avx512f\n")
    (tmp_path / "meminfo").write_text("MemTotal:       16777216 kB\n")
    for i, (level, size) in enumerate((("1", "32K"), ("2", "2048K"), ("3", "36608K"))):
        index = tmp_path / "cache" / f"index{i}"
        index.mkdir(parents=True)
        (index / "level").write_text(level + "\n")
        (index / "size").write_text(size + "\n")
    for name in ("cpuinfo", "meminfo", "cache"):
        constant = "CACHES" if name == "cache" else name.upper()
        monkeypatch.setattr(machine, constant, tmp_path / name)
    found = machine.describe()
    assert (found["cpu"], found["simd"]) == ("A processor", "avx2 avx512f")
    assert (found["l2"], found["l3"], found["memory_gib"]) == ("2048K", "36608K", 16.0)
    for constant in ("CPUINFO", "MEMINFO", "CACHES"):
        monkeypatch.setattr(machine, constant, tmp_path / "missing")
    assert "simd" not in machine.describe() and machine.describe()["cpu"]


def test_threads_are_set_for_the_variable_that_dnnfast_reads(script, monkeypatch):
    machine = script("machine")
    for name in machine.THREAD_VARIABLES:
        monkeypatch.setenv(name, "7")
    monkeypatch.setattr(machine.os, "sched_setaffinity", lambda *_: None, raising=False)
    machine.limit_to(3)
    assert machine.os.environ["DNNFAST_THREADS"] == "3"
