"""Keras's native format: a zip archive of the configuration and the weights."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from dnnfast.errors import FileFormatError
from dnnfast.saving import weights
from dnnfast.saving.content import KERAS_VERSION, building, mapped, parsed, reading
from dnnfast.saving.h5_writer import contents
from dnnfast.saving.hdf5 import open_file
from dnnfast.saving.objects import deserialize_keras_object, serialize_keras_object
from dnnfast.saving.sharing import SharingScope, without_singles

CONFIG, METADATA, WEIGHTS, ASSETS = "config.json", "metadata.json", "model.weights.h5", "assets"
# A member that is larger than the first and this many times what is stored of it is no model.
_FLOOR, _EXPANSION = 1 << 20, 100
_LONGEST_CONFIG = 1 << 28


def _texts(model: Any) -> dict[str, str]:
    with SharingScope():
        config = json.dumps(without_singles(serialize_keras_object(model)))
    now = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    metadata = json.dumps({"keras_version": KERAS_VERSION, "date_saved": now})
    return {METADATA: metadata, CONFIG: config}


def write(model: Any, file: BinaryIO) -> None:
    """Write a model as an archive."""
    texts = _texts(model)
    content = contents(lambda h5: weights.write(model, h5))
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in texts.items():
            archive.writestr(name, text)
        info = zipfile.ZipInfo(WEIGHTS, datetime.datetime.now().timetuple()[:6])
        info.external_attr = 0o600 << 16
        with archive.open(info, "w", force_zip64=len(content) >= 1 << 31) as member:
            member.write(content)
        _write_assets(model, archive)


def write_folder(model: Any, folder: Any, replacing: Any) -> None:
    """Write a model as a folder of the files that an archive has."""
    for name, text in _texts(model).items():
        with replacing(Path(folder) / name) as file:
            file.write(text.encode())
    with replacing(Path(folder) / WEIGHTS) as file:
        file.write(contents(lambda h5: weights.write(model, h5)))


def _with_assets(model: Any, method: str) -> list[tuple[str, Any]]:
    from dnnfast.saving.walk import saveables

    return [(path, item) for path, item in saveables(model) if hasattr(item, method)]


def _write_assets(model: Any, archive: zipfile.ZipFile) -> None:
    """Write the files of layers that have `save_assets`."""
    found = _with_assets(model, "save_assets")
    if not found:
        return
    with tempfile.TemporaryDirectory() as folder:
        for path, item in found:
            own = Path(folder, path)
            own.mkdir(parents=True, exist_ok=True)
            item.save_assets(str(own))
        for file in sorted(Path(folder).rglob("*")):
            if file.is_file():
                archive.write(file, f"{ASSETS}/{file.relative_to(folder).as_posix()}")


class Archive:
    """An archive that is read.

    Args:
        file: a file that is open for reading.
        name: of the file, for errors.

    Raises:
        FileFormatError: if it is no archive of a model.
    """

    def __init__(self, file: Any, name: str) -> None:
        self.name = name
        with self._reading():
            self._zip = zipfile.ZipFile(file)
            self._members = {info.filename: info for info in self._zip.infolist()}
        for wanted in (CONFIG, WEIGHTS):
            if wanted not in self._members:
                raise FileFormatError(f"{name!r} is no Keras file: its archive has no {wanted}.")

    @property
    def size(self) -> int:
        """The bytes of the weights."""
        return self._checked(WEIGHTS).file_size

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        errors = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
        try:
            yield
        except (*errors, OSError, ValueError) as error:
            if isinstance(error, FileFormatError):
                raise
            raise FileFormatError(f"{self.name!r} cannot be read: {error}") from error

    def _checked(self, name: str) -> zipfile.ZipInfo:
        info = self._members[name]
        if info.file_size > max(_FLOOR, _EXPANSION * info.compress_size):
            raise FileFormatError(
                f"Not allowed: the member {name!r} of {self.name!r} declares {info.file_size} "
                f"bytes but only {info.compress_size} are stored; it may be a decompression bomb."
            )
        return info

    def read(self, name: str, most: int | None = None) -> bytes:
        """Return a member, whose checksum is right."""
        info = self._checked(name)
        if most is not None and info.file_size > most:
            raise FileFormatError(f"{name!r} of {self.name!r} is too long to be true.")
        with self._reading(), self._zip.open(info) as member:
            content = member.read(info.file_size + 1)
        if len(content) != info.file_size:
            raise FileFormatError(f"{name!r} of {self.name!r} has another size than it declares.")
        return content

    def config(self) -> Any:
        """Return the configuration."""
        return parsed(self.read(CONFIG, _LONGEST_CONFIG), "configuration", self.name)

    @contextlib.contextmanager
    def weights(self) -> Iterator[Any]:
        """Give the root of the weights."""
        with reading(self.name):
            yield open_file(self.read(WEIGHTS))

    def load_assets(self, model: Any) -> None:
        """Let layers that have `load_assets` read their files."""
        found = _with_assets(model, "load_assets")
        if not found:
            return
        with tempfile.TemporaryDirectory() as folder:
            for name in self._members:
                if name.startswith(f"{ASSETS}/") and not name.endswith("/"):
                    target = Path(folder, name).resolve()
                    if not target.is_relative_to(Path(folder, ASSETS).resolve()):
                        raise FileFormatError(
                            f"Not allowed: {self.name!r} holds {name!r}, outside of its folder."
                        )
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(self.read(name))
            for path, item in found:
                item.load_assets(str(Path(folder, ASSETS, path)))


class Folder:
    """A folder of the files that an archive has.

    Args:
        path: of the folder.
    """

    def __init__(self, path: str) -> None:
        self.name = self._path = path

    @property
    def size(self) -> int:
        """The bytes of the weights."""
        return os.path.getsize(os.path.join(self._path, WEIGHTS))

    def config(self) -> Any:
        """Return the configuration."""
        text = Path(self._path, CONFIG).read_bytes()
        return parsed(text, "configuration", self._path)

    @contextlib.contextmanager
    def weights(self) -> Iterator[Any]:
        """Give the root of the weights."""
        with mapped(os.path.join(self._path, WEIGHTS)) as content, reading(self._path):
            yield open_file(content)

    def load_assets(self, model: Any) -> None:
        """Let layers that have `load_assets` read their files."""
        for path, item in _with_assets(model, "load_assets"):
            item.load_assets(str(Path(self._path, ASSETS, path)))


def load_model(source: Archive | Folder, custom_objects: Any, compile: bool, safe: bool) -> Any:
    """Return the model of an archive or a folder.

    Args:
        source: the archive.
        custom_objects: names of users' own classes and functions.
        compile: whether to compile it as it was.
        safe: whether lambdas are refused.
    """
    config = source.config()
    if not isinstance(config, dict) or "class_name" not in config:
        raise FileFormatError("the configuration in the file is that of no model.")
    if not compile:
        config["compile_config"] = None
    with SharingScope(), building(source.name, source.size):
        model = deserialize_keras_object(config, custom_objects, safe_mode=safe)
    if not hasattr(model, "_init_trainer"):
        raise FileFormatError(f"the file holds {type(model).__name__}, which is no model.")
    with source.weights() as root:
        weights.Reading(root, model).run()
    source.load_assets(model)
    return model
