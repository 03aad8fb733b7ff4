"""Files from the network, kept in a cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import urllib.parse
import zipfile
from pathlib import Path
from typing import Any

_ALGORITHMS = {32: "md5", 64: "sha256"}


def _digest(content: bytes, expected: str, algorithm: str) -> str:
    if algorithm == "auto":
        algorithm = _ALGORITHMS.get(len(expected), "sha256")
    if algorithm not in ("md5", "sha256"):
        raise ValueError(
            f'get_file: hash_algorithm must be "auto", "md5" or "sha256", got {algorithm!r}.'
        )
    return hashlib.new(algorithm, content, usedforsecurity=False).hexdigest()


def _unpack_tar(tar: Any, folder: Path) -> None:
    """Unpack what stays inside the folder."""
    if hasattr(tarfile, "data_filter"):
        tar.extractall(folder, filter="data")
        return
    # Python before 3.10.12 and 3.11.4 has no filter.
    for member in tar.getmembers():
        inside = (folder / member.name).resolve().is_relative_to(folder.resolve())
        if not inside or not (member.isreg() or member.isdir()):
            raise ValueError(f"get_file: the archive holds {member.name!r}, which is not safe.")
    tar.extractall(folder)


def _extract(archive: Path, folder: Path, kinds: Any) -> None:
    """Unpack an archive beside its folder and put it in place when it is whole."""
    kinds = ("tar", "zip") if kinds == "auto" else [kinds] if isinstance(kinds, str) else kinds
    staging = folder.with_name(folder.name + ".part")
    shutil.rmtree(staging, ignore_errors=True)
    try:
        if "tar" in (kinds or ()) and tarfile.is_tarfile(archive):
            with tarfile.open(archive) as tar:
                _unpack_tar(tar, staging)
        elif "zip" in (kinds or ()) and zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as packed:
                packed.extractall(staging)
        else:
            raise ValueError(f"get_file: {archive} is no archive of the kinds {kinds}.")
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(staging, folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def get_file(
    fname: Any = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: Any = "auto",
    cache_dir: Any = None,
    force_download: bool = False,
) -> str:
    """Return the path of a file, which is downloaded if the cache has none of that name.

    Args:
        fname: name in the cache; default that at the end of ``origin``.
        origin: address of the file.
        untar: old; unpack a tar archive.
        md5_hash: old; the file's MD5 sum.
        file_hash: the file's SHA-256 or MD5 sum; a file with another one is downloaded again.
        cache_subdir: folder in the cache. Default ``"datasets"``.
        hash_algorithm: ``"sha256"``, ``"md5"``, or ``"auto"`` (default): by the length of the sum.
        extract: unpack a tar or zip archive and return the folder. Default False.
        archive_format: ``"tar"``, ``"zip"``, or ``"auto"`` (default): both.
        cache_dir: the cache; default ``$DNNFAST_HOME`` or ``~/.dnnfast``.
        force_download: download even if the cache has it. Default False.

    Raises:
        ValueError: if there is no address or name, or the file has another sum.
        OSError: if the address cannot be reached.

    Example:
        >>> import dnnfast, pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> size = (folder / "a.txt").write_text("text")
        >>> path = dnnfast.utils.get_file("b.txt", (folder / "a.txt").as_uri(), cache_dir=folder)
        >>> open(path).read()
        'text'
    """
    from dnnfast.datasets import files

    if not origin:
        raise ValueError("get_file: give the address of the file as `origin`.")
    name = os.fspath(fname) if fname else Path(urllib.parse.urlsplit(origin).path).name
    if not name or name != Path(name).name:
        raise ValueError(
            f"get_file: fname must be the name of a file, without folders, got {name!r}; folders "
            "go into cache_dir and cache_subdir."
        )
    root = files.cache_root().parent if cache_dir is None else Path(cache_dir).expanduser()
    target = folder = root / cache_subdir / name
    unpack = extract or untar
    if unpack:
        if fname and "." in name:
            folder = target.with_name(f"{name.split('.')[0]}_extracted")
        else:
            target = target.with_name(f"{name}_archive")
    expected, algorithm = (
        (md5_hash, "md5") if md5_hash and not file_hash else (file_hash, hash_algorithm)
    )

    def fits(content: bytes) -> bool:
        return not expected or _digest(content, expected, algorithm) == expected.lower()

    if force_download or not target.exists() or not fits(target.read_bytes()):
        content = files.fetch(origin)
        if not fits(content):
            raise ValueError(
                f"get_file: {origin} gave a file whose sum is "
                f"{_digest(content, expected or '', algorithm)}, expected {expected}; nothing was "
                "stored."
            )
        files.write(target, content)
        if unpack:
            shutil.rmtree(folder, ignore_errors=True)
    if not unpack:
        return str(target)
    if not folder.exists():
        _extract(target, folder, "tar" if untar else archive_format)
    return str(folder)
