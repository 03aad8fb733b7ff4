"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dnnfast.distribution.current import is_writer


def explained(path: Any, error: OSError) -> OSError:
    """Return an error of the same kind that names the file and says what to do."""
    reason = error.strerror or str(error)
    text = f"cannot write {os.fspath(path)!r}: {reason}. What was there before is unchanged."
    if error.errno is None:
        return OSError(text)
    return type(error)(error.errno, text)


def _sync_folder(folder: Path) -> None:
    """Have the new name on the disk, where folders can be synced."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)


def _created(folder: Path, name: str) -> tuple[int, Path]:
    while True:
        path = folder / f".{name[:100]}.{os.urandom(4).hex()}.part"
        try:
            return os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | _BINARY, 0o666), path
        except FileExistsError:
            continue


_BINARY = getattr(os, "O_BINARY", 0)


@contextlib.contextmanager
def replacing(path: Any) -> Iterator[Any]:
    """Give a binary file that takes the place of ``path`` at the end of the ``with`` block.

    It is written beside ``path`` and is on the disk before it takes the name, so a crash at any
    moment leaves the old file or the new one. Missing folders are created. When the block fails,
    nothing is left behind.

    Of processes that train together, the first one writes; for the others the file is in memory.

    Args:
        path: of the file; where it is a link, what the link points to is replaced.

    Raises:
        OSError: if it cannot be written; it names the path and the reason.

    Example:
        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "a", "text")
        >>> with replacing(path) as file:
        ...     count = file.write(b"text")
        >>> open(path).read()
        'text'
    """
    if not is_writer():
        yield io.BytesIO()
        return
    target = Path(os.path.realpath(os.fspath(path)))
    try:
        if target.is_dir():
            raise IsADirectoryError(21, "it is a folder; give the name of a file")
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = _created(target.parent, target.name)
    except OSError as error:
        raise explained(path, error) from error
    try:
        try:
            with os.fdopen(handle, "w+b") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            if target.exists():
                os.chmod(temporary, target.stat().st_mode & 0o7777)
            os.replace(temporary, target)
        except OSError as error:
            raise explained(path, error) from error
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_folder(target.parent)
