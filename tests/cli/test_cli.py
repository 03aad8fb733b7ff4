import json
import subprocess
import sys

import numpy as np
import pytest

import dnnfast
from dnnfast import cli, config
from dnnfast.cli import bench, demo, info
from dnnfast.datasets import fashion_mnist


def test_the_module_and_the_version_option():
    command = [sys.executable, "-m", "dnnfast", "--version"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == f"dnnfast {dnnfast.__version__}"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["train"],
        ["demo", "--epochs", "0"],
        ["demo", "--epochs", "x"],
        ["demo", "--full", "--excerpt"],
    ],
)
def test_wrong_usage_ends_with_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert "usage: dnnfast" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bench", "dense_forwrad"], 'Did you mean "dense_forward"'),
        (["demo", "--device", "cpuu"], 'Did you mean "cpu"'),
    ],
)
def test_an_unknown_name_is_one_message_with_the_closest_match(arguments, message, capsys):
    assert cli.main(arguments) == 1
    captured = capsys.readouterr()
    assert message in captured.err
    assert "Traceback" not in captured.err
    assert config.device() == "cpu"


def test_info_names_versions_features_threads_and_the_gpu_part(capsys):
    assert cli.main(["info"]) == 0
    out = capsys.readouterr().out
    found = info.collect()
    for key in ("dnnfast", "numpy", "features", "threads", "compiler", "accelerator"):
        assert str(found[key]) in out
    assert found["features"] in found["available"]
    assert cli.main(["info", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["dnnfast"] == dnnfast.__version__


def test_info_tells_where_the_data_set_is(monkeypatch, tmp_path):
    monkeypatch.setenv("DNNFAST_HOME", str(tmp_path))
    monkeypatch.setattr(type(fashion_mnist.SOURCE), "find", lambda self: None)
    assert "excerpt" in str(info.collect()["fashion_mnist"])


def test_bench_prints_a_table(capsys):
    assert cli.main(["bench", "--repeats", "1", "relu", "softmax"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "GFLOP/s" in lines[0]
    assert lines[1].split()[0] == "kernel"
    assert [line.split()[0] for line in lines[2:]] == ["relu", "softmax"] * 2


def test_bench_prints_json_lines_with_the_wanted_threads(capfd):
    assert cli.main(["bench", "--repeats", "1", "--json", "--threads", "1", "dropout"]) == 0
    rows = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert len(rows) == len(bench.POINTWISE_SIZES)
    for row in rows:
        assert row["threads"] == 1
        assert row["native"] > 0
        assert row["reference"] > 0
        assert row["numpy"] > 0


@pytest.mark.parametrize("case", bench.cases([]), ids=lambda c: f"{c.kernel}-{c.label()}")
def test_both_sides_of_a_comparison_compute_the_same(case):
    if case.kernel == "dropout" or case.flops > 1e9:
        # Random on one side; and the large size adds nothing but time.
        case = bench.Case("relu", 4, 0, 8)
    reference, plain = (work() for work in bench.comparison(case))
    if isinstance(reference, tuple):
        reference = reference[0]
    if isinstance(plain, tuple):
        plain = plain[0]
    np.testing.assert_allclose(reference, plain, rtol=1e-3, atol=1e-3)


def test_demo_reaches_85_percent_on_the_excerpt(capsys):
    assert cli.main(["demo", "--excerpt"]) == 0
    out = capsys.readouterr().out
    assert "7000 images to train on" in out
    for expected in ("Time per epoch", "microseconds", "% of the measured peak"):
        assert expected in out
    accuracy = float(out.split("Test accuracy")[1].split("%")[0])
    assert accuracy >= 85


@pytest.mark.slow
def test_demo_reaches_88_percent_on_the_full_set(capsys):
    if fashion_mnist.SOURCE.find() is None:
        pytest.skip("the full Fashion-MNIST is not on this machine")
    assert cli.main(["demo"]) == 0
    out = capsys.readouterr().out
    assert "60000 images to train on" in out
    assert float(out.split("Test accuracy")[1].split("%")[0]) >= 88


def test_demo_needs_no_network_without_the_full_set(monkeypatch, capsys):
    def no_network(*args, **kwargs):
        raise AssertionError("the demo used the network")

    monkeypatch.setattr("urllib.request.urlopen", no_network)
    monkeypatch.setattr(type(fashion_mnist.SOURCE), "find", lambda self: None)
    assert cli.main(["demo", "--epochs", "1", "--batch-size", "500"]) == 0
    assert "excerpt" in capsys.readouterr().out


def test_demo_report_without_a_peak():
    assert demo.Report(0.5, 1.0, 1, 10, 1e9, None).lines()[-1] == "Matrix products    1.0 GFLOP/s"
