"""Damaged, foreign and hostile files, made from good ones by numbered random choices."""

import contextlib
import io
import json
import zipfile

import h5py
import numpy as np

WORDS = [
    None, True, -1, 0, 1, 2, 3.5, 1 << 31, 1 << 62, 10**30, 1e308, float("nan"), "", "relu", "os",
    "builtins", "subprocess", "__lambda__", "__numpy__", "__tensor__", "function", "Dense", "eval",
    "a" * 5000, [], {}, [None], [[[]]], {"class_name": "Dense", "config": {}}, [1, 2, 3],
    {"class_name": "__lambda__", "config": {"value": ["4wAAAA==", None, None]}},
    {"class_name": "function", "config": "system", "module": "os", "registered_name": "function"},
    {"class_name": "Popen", "config": {"args": "true"}, "module": "subprocess"},
    {"class_name": "__keras_tensor__", "config": {"shape": [1 << 40], "dtype": "float32"}},
]  # fmt: skip
SIZES = [0, 1, 7, 255, 1 << 15, 1 << 31, (1 << 32) - 1, 1 << 40, (1 << 64) - 1]


def bytes_changed(rng, content):
    """Change, drop or repeat some bytes."""
    data = bytearray(content)
    for _ in range(int(rng.integers(1, 6))):
        place = int(rng.integers(0, max(1, len(data))))
        kind = int(rng.integers(0, 8))
        if kind == 0:
            data[place : place + 1] = bytes([int(rng.integers(0, 256))])
        elif kind == 1 and data:
            data[place] ^= 1 << int(rng.integers(0, 8))
        elif kind in (2, 3):
            width = int(rng.choice([1, 2, 4, 8]))
            place -= place % width
            value = int(rng.choice(np.array(SIZES, np.uint64))) & ((1 << 8 * width) - 1)
            data[place : place + width] = value.to_bytes(width, "little")
        elif kind == 4:
            size = int(rng.integers(1, 64))
            data[place : place + size] = rng.bytes(size)
        elif kind == 5:
            del data[place : place + int(rng.integers(1, 100))]
        elif kind == 6:
            other = int(rng.integers(0, max(1, len(data))))
            data[place : place + 40] = data[other : other + 40]
        elif rng.integers(0, 4) == 0:
            del data[place:]
    return bytes(data)


def _places(value, found, inside=None):
    if isinstance(value, dict):
        for key in value:
            found.append((value, key))
            _places(value[key], found)
    elif isinstance(value, list):
        for i in range(len(value)):
            found.append((value, i))
            _places(value[i], found)


def json_changed(rng, content):
    """Change, drop or move parts of JSON."""
    data = json.loads(content)
    for _ in range(int(rng.integers(1, 4))):
        found = []
        _places(data, found)
        if not found:
            break
        where, key = found[int(rng.integers(0, len(found)))]
        kind = int(rng.integers(0, 6))
        if kind < 3:
            where[key] = WORDS[int(rng.integers(0, len(WORDS)))]
        elif kind == 3:
            del where[key]
        elif kind == 4:
            other, name = found[int(rng.integers(0, len(found)))]
            where[key] = json.loads(json.dumps(other[name]))
        elif isinstance(where[key], (int, float)) and not isinstance(where[key], bool):
            where[key] = where[key] * int(rng.choice([-1, 0, 1000, 10**6, 10**9]))
    if rng.integers(0, 40) == 0:
        depth = int(rng.integers(10, 100_000))
        return (b"[" * depth) + (b"]" * depth)
    return json.dumps(data).encode()


def hdf5_changed(rng, content):
    """Change what is in an HDF5 file, by its own library."""
    file = io.BytesIO(content)
    with h5py.File(file, "r+") as root:
        names = []
        root.visit(names.append)
        for _ in range(int(rng.integers(1, 3))):
            name = names[int(rng.integers(0, len(names)))]
            if name not in root:
                continue
            with contextlib.suppress(OSError, KeyError):  # after links of an earlier change
                _change_object(rng, root, name)
    return file.getvalue()


def _change_object(rng, root, name):
    kind = int(rng.integers(0, 9))
    if kind == 0:
        del root[name]
    elif kind in (1, 2):
        del root[name]
        shape = tuple(rng.integers(0, 5, int(rng.integers(0, 4))).tolist())
        dtype = ["f4", "f8", "i8", "u1", "S3", "?", "c8"][int(rng.integers(0, 7))]
        root[name] = np.zeros(shape, dtype)
    elif kind == 3:
        del root[name]
        root[name] = h5py.SoftLink("/")
    elif kind == 4:
        del root[name]
        root[name] = h5py.ExternalLink("other.h5", "/")
    elif kind == 5:
        del root[name]
        size = int(rng.choice([1 << 12, 1 << 20, 1 << 24]))
        root.create_dataset(name, (size, size), "f4", chunks=(1, 64), compression="gzip")
    elif kind == 6:
        for key in list(root[name].attrs):
            root[name].attrs[key] = int(rng.integers(0, 9))
    elif kind == 7:
        del root[name]
        root.create_group(name).create_group("0")
    else:
        for key in list(root.attrs):
            if rng.integers(0, 2):
                root.attrs[key] = [b"a", b"b/../c"]


def hdf5_attributes_changed(rng, content):
    """Change the configurations in a file of the older format."""
    file = io.BytesIO(content)
    with h5py.File(file, "r+") as root:
        name = ["model_config", "training_config"][int(rng.integers(0, 2))]
        if name in root.attrs:
            root.attrs[name] = json_changed(rng, root.attrs[name]).decode()
    return file.getvalue()


def archive_changed(rng, content):
    """Change members of an archive, whose checksums are then right."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    kind = int(rng.integers(0, 12))
    if kind < 5:
        members["config.json"] = json_changed(rng, members["config.json"])
    elif kind < 8:
        members["model.weights.h5"] = bytes_changed(rng, members["model.weights.h5"])
    elif kind == 8:
        members["model.weights.h5"] = hdf5_changed(rng, members["model.weights.h5"])
    elif kind == 9:
        del members[list(members)[int(rng.integers(0, len(members)))]]
    elif kind == 10:
        members["../../evil.txt"] = b"x"
        members["/evil.txt"] = b"x"
        members["assets/../../evil"] = b"x"
    else:
        name = list(members)[int(rng.integers(0, len(members)))]
        members[name] = b"[" + b" " * (1 << 22) + b"]"  # packs to almost nothing
    out = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if kind == 11 or rng.integers(0, 4) == 0 else zipfile.ZIP_STORED
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return out.getvalue()


WAYS = {
    ".keras": [bytes_changed, archive_changed, archive_changed, archive_changed],
    ".h5": [bytes_changed, bytes_changed, hdf5_changed, hdf5_attributes_changed],
    ".weights.h5": [bytes_changed, bytes_changed, hdf5_changed],
}


def mutated(seed, number, good):
    """Return the ending and the content of mutation ``number``.

    Args:
        seed: of all of them.
        number: of this one.
        good: dictionary of endings and lists of good files' contents.
    """
    rng = np.random.default_rng([seed, number])
    ending = list(WAYS)[number % len(WAYS)]
    ways = WAYS[ending]
    way = ways[int(rng.integers(0, len(ways)))]
    return ending, way(rng, good[ending][int(rng.integers(0, len(good[ending])))])
