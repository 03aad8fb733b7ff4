"""Helpers around models: padding, splitting, files, progress, messages."""

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

import dnnfast as keras
from api.data import classes, classifier

utils = keras.utils
SEQUENCES = [[1], [2, 3], [], [4, 5, 6]]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [[0, 0, 1], [0, 2, 3], [0, 0, 0], [4, 5, 6]]),
        ({"padding": "post", "value": -1}, [[1, -1, -1], [2, 3, -1], [-1, -1, -1], [4, 5, 6]]),
        ({"maxlen": 2}, [[0, 1], [2, 3], [0, 0], [5, 6]]),
        ({"maxlen": 2, "truncating": "post"}, [[0, 1], [2, 3], [0, 0], [4, 5]]),
        ({"maxlen": 0}, [[]] * 4),
    ],
)
def test_padding(options, expected):
    found = utils.pad_sequences(SEQUENCES, **options)
    assert found.tolist() == expected
    assert found.dtype == np.int32


def test_padding_of_other_things():
    pairs = [np.ones((1, 2)), np.ones((3, 2))]
    assert utils.pad_sequences(pairs, dtype="float32").shape == (2, 3, 2)
    words = utils.pad_sequences([["a"], ["b", "c"]], dtype=object, value="-")
    assert words.tolist() == [["-", "a"], ["b", "c"]]
    for wrong, words in (
        (([1, 2],), "item 0 is no sequence"),
        ((3,), "list of sequences"),
        (([np.ones((1, 2)), np.ones((1, 3))],), r"sequence 1 have shape \(3,\)"),
    ):
        with pytest.raises(ValueError, match=words):
            utils.pad_sequences(*wrong)
    for options in ({"padding": "mid"}, {"truncating": "mid"}, {"value": "-"}):
        with pytest.raises(ValueError, match=next(iter(options))):
            utils.pad_sequences(SEQUENCES, **options)


def test_splitting():
    x, y = np.arange(20).reshape(10, 2), np.arange(10)
    left, right = utils.split_dataset((x, y), left_size=0.7)
    assert isinstance(left, tuple)
    assert np.shares_memory(left[0], x)  # not copied
    assert (len(left[1]), len(right[1])) == (7, 3)
    np.testing.assert_array_equal(np.concatenate([left[0], right[0]]), x)
    left, right = utils.split_dataset({"x": x}, left_size=2, right_size=3)
    assert (left["x"][:, 0].tolist(), right["x"][:, 0].tolist()) == ([0, 2], [14, 16, 18])
    parts = [utils.split_dataset([x, y], right_size=4, shuffle=True, seed=3) for _ in range(2)]
    for left, right in parts:
        assert sorted([*left[1], *right[1]]) == list(range(10))
        np.testing.assert_array_equal(left[0][:, 0], 2 * left[1])
        assert left[1].tolist() == parts[0][0][1].tolist() != sorted(left[1])
    assert utils.split_dataset(range(5), left_size=2) == ([0, 1], [2, 3, 4])
    for options in (
        {},
        {"left_size": 10},
        {"left_size": 0.7, "right_size": 0.7},
        {"left_size": 6, "right_size": 5},
        {"left_size": 0.01},
        {"left_size": 1.5},
    ):
        with pytest.raises(ValueError, match="split_dataset"):
            utils.split_dataset(y, **options)
    with pytest.raises(ValueError, match="different lengths"):
        utils.split_dataset((x, y[:3]), left_size=2)
    for wrong in (3, iter([1])):
        with pytest.raises(TypeError, match="split_dataset"):
            utils.split_dataset(wrong, left_size=2)
    with pytest.raises(TypeError, match="left_size"):
        utils.split_dataset(y, left_size="half")


def test_one_hot_and_norms():
    labels = np.array([[2], [0]])
    assert utils.to_categorical(labels).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert utils.to_categorical(labels, 4).shape == (2, 4)
    x = np.array([[3.0, 4.0], [0.0, 0.0]], np.float32)
    found = utils.normalize(x)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[0.6, 0.8], [0, 0]])
    np.testing.assert_allclose(utils.normalize(x, axis=0, order=1), [[1, 1], [0, 0]])


def archives(folder):
    """Write a tar and a zip archive with one file each."""
    with tarfile.open(folder / "some.tar.gz", "w:gz") as tar:
        info = tarfile.TarInfo("inside/a.txt")
        info.size = 4
        tar.addfile(info, io.BytesIO(b"text"))
    with zipfile.ZipFile(folder / "some.zip", "w") as packed:
        packed.writestr("inside/a.txt", "text")


def test_files(tmp_path):
    source = tmp_path / "source.txt"
    source.write_text("content")
    origin, cache = source.as_uri(), tmp_path / "cache"
    path = utils.get_file(origin=origin, cache_dir=cache)
    assert path == str(cache / "datasets" / "source.txt")
    source.write_text("new")
    assert utils.get_file(origin=origin, cache_dir=cache) == path
    assert Path(path).read_text() == "content"
    for hashes in (
        {"file_hash": hashlib.sha256(b"new").hexdigest()},
        {"md5_hash": hashlib.md5(b"new").hexdigest()},
    ):
        utils.get_file(origin=origin, cache_dir=cache, **hashes)
        assert Path(path).read_text() == "new"
        with pytest.raises(ValueError, match="expected"):
            utils.get_file("b", origin, cache_dir=cache, file_hash="0" * 64)
        assert not (cache / "datasets" / "b").exists()
    source.write_text("newest")
    utils.get_file(origin=origin, cache_dir=cache, force_download=True)
    assert Path(path).read_text() == "newest"
    for wrong in ({"origin": None}, {"fname": "a/b", "origin": origin}):
        with pytest.raises(ValueError, match="get_file"):
            utils.get_file(**wrong, cache_dir=cache)
    with pytest.raises(OSError, match="missing"):
        utils.get_file(origin=(tmp_path / "missing").as_uri(), cache_dir=cache)


@pytest.mark.parametrize("name", ["some.tar.gz", "some.zip"])
def test_archives(name, tmp_path):
    archives(tmp_path)
    origin = (tmp_path / name).as_uri()
    for fname, folder in ((None, name), ("other", "other"), (f"x-{name}", "x-some_extracted")):
        found = utils.get_file(fname, origin, extract=True, cache_dir=tmp_path / "c")
        assert found == str(tmp_path / "c" / "datasets" / folder)
        assert Path(found, "inside", "a.txt").read_text() == "text"
        assert utils.get_file(fname, origin, extract=True, cache_dir=tmp_path / "c") == found
    (tmp_path / "plain").write_text("no archive")
    with pytest.raises(ValueError, match="no archive"):
        utils.get_file(origin=(tmp_path / "plain").as_uri(), extract=True, cache_dir=tmp_path)


def test_progress(capsys):
    bar = utils.Progbar(4, width=8, interval=0)
    bar.update(1, [("loss", 1.0), ("rate", 0.5)])
    bar.add(1, [("loss", 3.0), ("rate", 0.25)])
    text = capsys.readouterr().out
    assert "1/4 ━━──────" in text
    assert "2/4 ━━━━────" in text
    assert "loss: 2.0000 - rate: 0.3750" in text  # means over the steps
    bar.update(4, [("loss", 7.0)])
    assert "loss: 7.0000 - rate: 0.3750" in capsys.readouterr().out
    bar = utils.Progbar(2, interval=0, stateful_metrics=["rate"])
    bar.update(1, [("rate", 0.5)])
    bar.update(1, [("rate", 0.25)])
    assert "rate: 0.2500" in capsys.readouterr().out
    line = utils.Progbar(2, verbose=2)
    line.update(1, {"loss": 1.0})
    assert capsys.readouterr().out == ""
    line.update(2, {"loss": 0.5})
    assert capsys.readouterr().out.startswith("2/2 - ")
    unknown = utils.Progbar(None, interval=0)
    unknown.update(3)
    assert "3/?" in capsys.readouterr().out
    with pytest.raises(ValueError, match="not both"):
        utils.Progbar(1, stateful_metrics=[], stateless_metrics=[])


def test_messages_to_a_logger(capsys, caplog):
    x, y = classes(n=40)
    model = classifier()
    utils.disable_interactive_logging()
    try:
        assert not keras.config.is_interactive_logging_enabled()
        with caplog.at_level("INFO", "dnnfast"):
            model.fit(x, y, verbose=1)
    finally:
        keras.config.enable_interactive_logging()
    assert capsys.readouterr().out == ""
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == "Epoch 1/1"
    assert "2/2" in lines[-1]
    assert "loss:" in lines[-1]


@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_bars_of_evaluation_and_prediction(verbose, capsys):
    x, y = classes(n=40)
    model = classifier()
    model.evaluate(x, y, batch_size=20, verbose=verbose)
    text = capsys.readouterr().out
    assert ("loss:" in text) == (verbose > 0)
    model.predict(x, batch_size=20, verbose=verbose)
    assert (capsys.readouterr().out != "") == (verbose > 0)
    model.predict(iter([x, x]), verbose=verbose)
    assert (capsys.readouterr().out != "") == (verbose > 0)


def test_switches_of_tracebacks():
    keras.config.disable_traceback_filtering()
    assert not keras.config.is_traceback_filtering_enabled()
    keras.config.enable_traceback_filtering()
    assert keras.config.is_traceback_filtering_enabled()


def test_parts_of_a_batch():
    for data, parts in (
        (1, (1, None, None)),
        ((1,), (1, None, None)),
        ([1, 2], (1, 2, None)),
        ((1, 2, 3), (1, 2, 3)),
        ({"a": 1}, ({"a": 1}, None, None)),
    ):
        assert utils.unpack_x_y_sample_weight(data) == parts
    with pytest.raises(ValueError, match="4 parts"):
        utils.unpack_x_y_sample_weight((1, 2, 3, 4))
    assert utils.pack_x_y_sample_weight(1) == 1
    assert utils.pack_x_y_sample_weight([1]) == ([1],)
    assert utils.pack_x_y_sample_weight(1, 2) == (1, 2)
    assert utils.pack_x_y_sample_weight(1, 2, 3) == (1, 2, 3)
