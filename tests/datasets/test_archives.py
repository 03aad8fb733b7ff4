"""Housing and CIFAR-10 loaders, with tiny files of the official forms."""

import dataclasses
import hashlib
import io
import pickle
import tarfile

import numpy as np
import pytest

import dnnfast
from dnnfast.datasets import boston_housing, california_housing, cifar10, mnist, npz
from dnnfast.datasets.files import File

HOUSING = [(boston_housing, 13), (california_housing, 8)]


def with_address(module, folder, monkeypatch, tmp_path):
    """Let a loader download from a folder what lies there, with an empty cache and home."""
    monkeypatch.setenv("DNNFAST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    name = module.SOURCE.files[0].name
    path = folder / name
    digest = hashlib.sha256(path.read_bytes() if path.exists() else b"").hexdigest()
    source = dataclasses.replace(
        module.SOURCE, addresses=(folder.as_uri() + "/",), files=(File(name, digest),)
    )
    monkeypatch.setattr(module, "SOURCE", source)
    return source


def write_housing(path, features, samples=50):
    x = np.arange(samples * features, dtype=np.float64).reshape(samples, features)
    np.savez(path, x=x, y=x[:, 0] * 2)


def write_cifar(path, *, batches=(*cifar10._TRAIN, "test_batch"), data=None):
    """Ten images a batch, written as Python 2 did: protocol 2, keys in bytes."""
    with tarfile.open(path, "w:gz") as archive:
        for number, name in enumerate(batches):
            pixels = np.arange(10 * 3072, dtype=np.uint8).reshape(10, 3072) + np.uint8(number)
            held = {b"data": pixels, b"labels": list(range(10)), b"batch_label": b"x"}
            content = pickle.dumps(held if data is None else data, protocol=2)
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


@pytest.mark.parametrize(("module", "features"), HOUSING)
def test_housing_is_downloaded_checked_shuffled_and_split(module, features, monkeypatch, tmp_path):
    name = module.SOURCE.files[0].name
    write_housing(tmp_path / name, features)
    source = with_address(module, tmp_path, monkeypatch, tmp_path)
    (x_train, y_train), (x_test, y_test) = module.load_data()
    assert (x_train.shape, x_test.shape) == ((40, features), (10, features))
    np.testing.assert_array_equal(y_train, x_train[:, 0] * 2)
    np.testing.assert_array_equal(y_test, x_test[:, 0] * 2)
    assert sorted(np.concatenate([y_train, y_test])) == [2 * i * features for i in range(50)]
    assert (np.diff(y_train) < 0).any()
    assert [path.name for path in source.cache().iterdir()] == [name]
    (tmp_path / name).unlink()
    again = module.load_data(test_split=0.5)
    np.testing.assert_array_equal(np.concatenate([again[0][0], again[1][0]])[:40], x_train)
    assert len(again[1][0]) == 25
    other = module.load_data(seed=7, test_split=0.0)
    assert (other[0][1][:40] != y_train).any()
    assert len(other[1][0]) == 0


@pytest.mark.parametrize(("module", "features"), HOUSING)
def test_a_given_file_and_that_of_keras_are_read(module, features, monkeypatch, tmp_path):
    name = module.SOURCE.files[0].name
    write_housing(tmp_path / "mine.npz", features, 20)
    assert len(module.load_data(path=str(tmp_path / "mine.npz"))[0][0]) == 16
    folder = tmp_path / "user" / ".keras" / "datasets"
    folder.mkdir(parents=True)
    write_housing(folder / name, features, 30)
    with_address(module, tmp_path / "nowhere", monkeypatch, tmp_path)
    assert len(module.load_data()[0][0]) == 24


def test_the_order_is_that_of_keras():
    # The order of numpy.random.RandomState(113), which Keras uses: ten numbers of it.
    train, test = npz.split(np.arange(10), np.arange(10), 0.2, 113)
    expected = np.arange(10)
    np.random.RandomState(113).shuffle(expected)
    assert np.concatenate([train[0], test[0]]).tolist() == expected.tolist()


def test_the_small_version(tmp_path):
    write_housing(tmp_path / "x.npz", 8, 700)
    (x_train, _), (x_test, _) = california_housing.load_data("small", str(tmp_path / "x.npz"))
    assert (len(x_train), len(x_test)) == (480, 120)
    assert max(x_train.max(), x_test.max()) == 600 * 8 - 1
    with pytest.raises(ValueError, match="huge"):
        california_housing.load_data("huge")


@pytest.mark.parametrize(("module", "features"), HOUSING)
def test_wrong_shares_and_damaged_files(module, features, tmp_path):
    path = tmp_path / "x.npz"
    write_housing(path, features)
    for share in (-0.1, 1.0, "a", np.nan):
        with pytest.raises(ValueError, match="test_split"):
            module.load_data(path=str(path), test_split=share)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match=r"x\.npz is damaged"):
        module.load_data(path=str(path))
    np.savez(path, a=np.ones(3))
    with pytest.raises(ValueError, match=r"x\.npz is damaged"):
        module.load_data(path=str(path))


def test_cifar10(monkeypatch, tmp_path):
    write_cifar(tmp_path / "cifar-10-python.tar.gz")
    source = with_address(cifar10, tmp_path, monkeypatch, tmp_path)
    (x_train, y_train), (x_test, y_test) = cifar10.load_data()
    assert (x_train.shape, x_test.shape) == ((50, 32, 32, 3), (10, 32, 32, 3))
    assert (y_train.shape, y_test.shape) == ((50, 1), (10, 1))
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype("uint8")}
    assert y_train[:, 0].tolist() == list(range(10)) * 5
    # The red plane comes first in the file, the fastest axis in the array.
    assert x_train[0, 0, :3, 0].tolist() == [0, 1, 2]
    assert x_train[0, 0, 0].tolist() == [0, 1024 % 256, 2048 % 256]
    assert x_train[10, 0, 0, 0] == 1
    assert x_test[0, 0, 0, 0] == 5
    assert source.find() == source.cache()
    dnnfast.config.set_image_data_format("channels_first")
    try:
        first = cifar10.load_data()
    finally:
        dnnfast.config.set_image_data_format("channels_last")
    np.testing.assert_array_equal(first[0][0].transpose(0, 2, 3, 1), x_train)


class Evil:
    def __reduce__(self):
        return print, ("run",)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: write_cifar(path, batches=cifar10._TRAIN), "lacks test_batch"),
        (lambda path: write_cifar(path, data={b"data": 3}), "damaged"),
        (lambda path: write_cifar(path, data=Evil()), "print"),
        (lambda path: path.write_bytes(b"<html>"), "damaged"),
    ],
)
def test_damaged_cifar10(make, message, monkeypatch, tmp_path, capsys):
    path = tmp_path / "cifar-10-python.tar.gz"
    make(path)
    with_address(cifar10, tmp_path, monkeypatch, tmp_path)
    with pytest.raises(ValueError, match=message):
        cifar10.load_data()
    assert capsys.readouterr().out == ""


def test_a_truncated_archive_is_named(monkeypatch, tmp_path):
    path = tmp_path / "cifar-10-python.tar.gz"
    write_cifar(path)
    path.write_bytes(path.read_bytes()[:-3000])
    with_address(cifar10, tmp_path, monkeypatch, tmp_path)
    with pytest.raises(ValueError, match=r"cifar-10-python\.tar\.gz is damaged"):
        cifar10.load_data()


@pytest.mark.parametrize("module", [boston_housing, california_housing, cifar10])
def test_off_line_the_error_says_what_to_put_where(module, monkeypatch, tmp_path):
    source = with_address(module, tmp_path / "nowhere", monkeypatch, tmp_path)
    with pytest.raises(ConnectionError) as caught:
        module.load_data()
    for expected in (source.files[0].name, str(source.cache()), "DNNFAST_HOME", source.title):
        assert expected in str(caught.value)


@pytest.mark.parametrize("module", [boston_housing, california_housing, cifar10])
def test_a_wrong_download_is_refused(module, monkeypatch, tmp_path):
    name = module.SOURCE.files[0].name
    (tmp_path / name).write_bytes(b"first")
    source = with_address(module, tmp_path, monkeypatch, tmp_path)
    (tmp_path / name).write_bytes(b"other")
    with pytest.raises(ValueError, match="SHA-256"):
        module.load_data()
    assert source.find() is None


def test_mnist_of_keras_is_read(tmp_path):
    images, labels = np.ones((3, 28, 28), np.uint8), np.zeros(3, np.uint8)
    path = tmp_path / "mnist.npz"
    np.savez(path, x_train=images, y_train=labels, x_test=images[:2], y_test=labels[:2])
    (x_train, _), (_, y_test) = mnist.load_data(str(tmp_path / "mnist.npz"))
    assert (x_train.shape, y_test.shape) == ((3, 28, 28), (2,))
