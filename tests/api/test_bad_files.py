"""Bad files are refused by clear errors, and a failed save leaves what was there."""

import io
import json
import os
import resource
import signal
import subprocess
import sys
import zipfile

import h5py
import numpy as np
import pytest

import dnnfast as keras
from dnnfast.saving.atomic import replacing

ENDINGS = [".keras", ".h5", ".weights.h5"]


def small(units=3, name="d"):
    layers = [keras.Input((4,)), keras.layers.Dense(units, name=name), keras.layers.Dense(2)]
    model = keras.Sequential(layers)
    model.compile("adam", "mse")
    model.train_on_batch(np.ones((4, 4)), np.ones((4, 2)))
    return model


def saved(folder, ending):
    model, path = small(), folder / f"m{ending}"
    (model.save_weights if ending == ".weights.h5" else model.save)(path)
    return model, path


def load(path):
    if path.name.endswith(".weights.h5"):
        small().load_weights(path)
    else:
        keras.models.load_model(path)


@pytest.mark.parametrize("ending", ENDINGS)
def test_truncated_and_foreign_files(ending, tmp_path):
    _, path = saved(tmp_path, ending)
    content = path.read_bytes()
    for size in (0, 1, 50, 200, len(content) // 2, len(content) - 100):
        path.write_bytes(content[:size])
        with pytest.raises(OSError, match=f"m{ending}") as found:
            load(path)
        assert isinstance(found.value, ValueError)
    for foreign in (b"PK\x03\x04" + b"x" * 500, b"\x89HDF\r\n\x1a\n" + b"\0" * 500, b"x" * 5000):
        path.write_bytes(foreign)
        with pytest.raises((OSError, ValueError), match=f"m{ending}"):
            load(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(ValueError, match="folder"):
        load(path)


def test_a_changed_byte_of_an_archive_is_noticed(tmp_path):
    _, path = saved(tmp_path, ".keras")
    with zipfile.ZipFile(path) as archive:
        begin = archive.getinfo("model.weights.h5").header_offset + 4000
    content = bytearray(path.read_bytes())
    content[begin] ^= 1
    path.write_bytes(content)
    with pytest.raises(OSError, match="CRC"):
        load(path)


def repacked(path, change, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def configured(path, change):
    def changed(members):
        config = json.loads(members["config.json"])
        change(config)
        members["config.json"] = json.dumps(config)

    repacked(path, changed)


def test_decompression_bombs(tmp_path):
    _, path = saved(tmp_path, ".keras")

    def bomb(members):
        members["config.json"] = b" " * (1 << 27)

    repacked(path, bomb, zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 1 << 20
    with pytest.raises(ValueError, match="bomb"):
        load(path)
    _, path = saved(tmp_path, ".weights.h5")
    with h5py.File(path, "a") as file:
        del file["layers/dense/vars/0"]
        file.create_dataset("layers/dense/vars/0", (1 << 20, 1 << 16), "f4", chunks=(1, 1 << 16),
                            compression="gzip")  # fmt: skip
    with pytest.raises(ValueError, match="shape mismatch"):
        load(path)
    wide = keras.Sequential([keras.Input((1 << 12,)), keras.layers.Dense(1 << 10)])
    wide.save_weights(path)
    with h5py.File(path, "a") as file:
        del file["layers/dense/vars/0"]
        file.create_dataset("layers/dense/vars/0", (1 << 12, 1 << 10), "f4", compression="gzip")
    with pytest.raises(ValueError, match="bomb"):
        wide.load_weights(path)


def test_files_that_claim_more_than_they_hold(tmp_path):
    def units(config):
        config["config"]["layers"][1]["config"]["units"] = 1 << 28

    _, path = saved(tmp_path, ".keras")
    configured(path, units)
    with pytest.raises(ValueError, match="far more than the file"):
        load(path)

    def thresholds(config):
        metric = keras.saving.serialize_keras_object(keras.metrics.AUC())
        metric["config"]["num_thresholds"] = 1 << 40
        config["compile_config"]["metrics"] = [metric]

    _, path = saved(tmp_path, ".keras")
    configured(path, thresholds)
    with pytest.raises(ValueError, match="far more than the file"):
        load(path)


def test_deep_and_senseless_configurations(tmp_path):
    _, path = saved(tmp_path, ".keras")
    deep = b"[" * 100_000 + b"]" * 100_000
    for text, message in ((deep, "too deeply"), (b"{", "no valid JSON"), (b"[]", "no model"),
                          (b'{"class_name": "Dense", "config": {"units": 3}}', "no model"),
                          (b'{"class_name": "Sequential", "config": {}}', "KeyError")):  # fmt: skip
        repacked(path, lambda members, text=text: members.update({"config.json": text}))
        with pytest.raises(OSError, match=message):
            load(path)


def test_names_that_lead_out_of_the_archive(tmp_path):
    @keras.saving.register_keras_serializable("bad_files")
    class Reads(keras.layers.Layer):
        def call(self, x):
            return x * 1.0

        def load_assets(self, folder):
            self.files = os.listdir(folder) if os.path.isdir(folder) else []

    path = tmp_path / "a" / "m.keras"
    keras.Sequential([keras.Input((2,)), Reads()]).save(path)
    repacked(path, lambda members: members.update({"assets/../../../evil.txt": b"evil"}))
    with pytest.raises(ValueError, match="outside"):
        load(path)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a", "m.keras"]


@pytest.mark.parametrize("kind", ["soft", "external", "external data", "text", "complex", "group"])
def test_hostile_parts_of_hdf5(kind, tmp_path):
    model, path = saved(tmp_path, ".weights.h5")
    place = "layers/dense/vars/0"
    (tmp_path / "secret").write_bytes(b"s" * 1000)
    with h5py.File(path, "a") as file:
        shape = file[place].shape
        del file[place]
        if kind == "soft":
            file[place] = h5py.SoftLink("/layers/dense_1/vars/0")
        elif kind == "external":
            file[place] = h5py.ExternalLink(str(tmp_path / "secret"), "/")
        elif kind == "external data":
            secret = [(str(tmp_path / "secret"), 0, 48)]
            file.create_dataset(place, shape, "f4", external=secret)
        elif kind == "group":
            file.create_group(place)
        else:
            file[place] = np.zeros(shape, "S4" if kind == "text" else "c8")
    before = model.get_weights()
    with pytest.raises((ValueError, OSError)) as found:
        model.load_weights(path)
    assert "crash" not in str(found.value)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_nothing_in_a_file_is_executed(tmp_path):
    _, path = saved(tmp_path, ".keras")
    touched = tmp_path / "touched"
    hostile = [
        {"class_name": "Popen", "module": "subprocess", "config": {"args": ["touch", str(touched)]},
         "registered_name": None},
        {"class_name": "function", "module": "os", "config": "system", "registered_name": "x"},
        {"class_name": "function", "module": "builtins", "config": "eval", "registered_name": "x"},
        {"class_name": "get_file", "module": "keras.utils", "registered_name": None,
         "config": {"origin": f"file://{path}"}},
    ]  # fmt: skip
    for item in hostile:
        configured(path, lambda c, item=item: c["config"]["layers"].__setitem__(1, item))
        with pytest.raises((TypeError, ValueError)):
            load(path)
        _, path = saved(tmp_path, ".keras")
    assert not touched.exists()


def test_custom_objects_by_argument_scope_and_registration(tmp_path):
    class Mine(keras.layers.Dense):
        pass

    def twice(x):
        return 2 * x

    model = keras.Sequential([keras.Input((4,)), Mine(3, twice, name="mine")])
    for name in ("m.keras", "m.h5"):
        path = tmp_path / name
        model.save(path)
        with pytest.raises(TypeError, match=r"Mine.*register"):
            keras.models.load_model(path, compile=False)
        known = {"Mine": Mine, "twice": twice}
        first = keras.models.load_model(path, custom_objects=known, compile=False)
        with keras.saving.custom_object_scope(known):
            second = keras.models.load_model(path, compile=False)
        for loaded in (first, second):
            assert type(loaded.layers[0]) is Mine
            np.testing.assert_array_equal(*(m.predict(np.ones((1, 4))) for m in (model, loaded)))


@pytest.mark.filterwarnings("ignore:a lambda is serialized")
@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_lambdas_need_trust(name, tmp_path):
    layers = [keras.Input((4,)), keras.layers.Lambda(lambda x: x * 3.0)]
    keras.Sequential(layers).save(tmp_path / name)
    with pytest.raises(ValueError, match="lambda"):
        keras.models.load_model(tmp_path / name, compile=False)
    loaded = keras.models.load_model(tmp_path / name, compile=False, safe_mode=False)
    assert loaded.predict(np.ones((1, 4))).tolist() == [[3.0] * 4]


def test_files_of_newer_versions(tmp_path):
    model, path = saved(tmp_path, ".weights.h5")
    with h5py.File(path, "a") as file:
        state = json.loads(bytes(file["dnnfast/state"][()]))
        del file["dnnfast/state"]
        state["version"] = 99
        file["dnnfast/state"] = np.frombuffer(json.dumps(state).encode(), np.uint8)
    with pytest.warns(UserWarning, match="newer version"):
        model.load_weights(path)
    newest = io.BytesIO()
    with h5py.File(newest, "w", libver="latest", track_order=True) as file:
        for i in range(40):
            file[f"layers/dense_{i}/vars/0"] = np.zeros(3)
    path.write_bytes(newest.getvalue())
    with pytest.raises(OSError, match=r"newer form.*default settings"):
        model.load_weights(path)


# Writing.


def test_a_full_disk_leaves_the_old_file(tmp_path):
    model, path = saved(tmp_path, ".keras")
    load(path)
    before = path.read_bytes()
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, limit[1]))
    try:
        for name in ("m.keras", "m.h5", "new.keras"):
            with pytest.raises(OSError, match=rf"cannot write.*{name}.*unchanged"):
                model.save(tmp_path / name)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)
    assert [p.name for p in tmp_path.iterdir()] == ["m.keras"]
    assert path.read_bytes() == before


def test_folders_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("text")
    with pytest.raises(OSError, match="cannot write"):
        small().save(tmp_path / "file" / "m.keras")
    (tmp_path / "m.keras").mkdir()
    with pytest.raises(OSError, match="folder"):
        small().save(tmp_path / "m.keras")
    if os.geteuid():
        (tmp_path / "locked").mkdir(mode=0o500)
        with pytest.raises(PermissionError, match="cannot write"):
            small().save(tmp_path / "locked" / "m.keras")


def test_an_error_while_writing_leaves_nothing(tmp_path, monkeypatch):
    for step in ("fsync", "replace"):
        with monkeypatch.context() as patch:

            def failing(*args):
                raise OSError(28, "No space left on device")

            patch.setattr(os, step, failing)
            with pytest.raises(OSError, match="No space left"):
                small().save(tmp_path / "m.keras")
        assert not list(tmp_path.iterdir())
    with pytest.raises(ZeroDivisionError), replacing(tmp_path / "text") as file:
        file.write(b"half" * (1 // 0))
    assert not list(tmp_path.iterdir())


SCRIPT = """
import os, signal, sys
from api.test_bad_files import small
model, path, step = small(), sys.argv[1], sys.argv[2]
model.set_weights([0 * w for w in model.get_weights()])
getattr_of = {"fsync": os.fsync, "replace": os.replace}[step]
def killed(*args):
    if step == "replace" and sys.argv[3] == "after":
        getattr_of(*args)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(os, step, killed)
model.save(path)
"""


@pytest.mark.parametrize(("step", "when"), [("fsync", "before"), ("replace", "after")])
def test_a_crash_leaves_the_old_file_or_the_new_one(step, when, tmp_path):
    model, path = saved(tmp_path, ".keras")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", SCRIPT, str(path), step, when]
    assert subprocess.run(command, env=environment, check=False).returncode == -signal.SIGKILL
    loaded = keras.models.load_model(path)
    total = sum(np.abs(w).sum() for w in loaded.get_weights())
    assert (total == 0) == (when == "after")
    small().save(path)
    load(path)
