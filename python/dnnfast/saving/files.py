"""Saving and loading of models: the formats of Keras, by the ending of the name."""

from __future__ import annotations

import contextlib
import os
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dnnfast.config.messages import message
from dnnfast.errors import FileFormatError, MissingFileError
from dnnfast.saving import archive, legacy, weights
from dnnfast.saving.atomic import replacing
from dnnfast.saving.content import mapped, reading
from dnnfast.saving.h5_writer import contents
from dnnfast.saving.hdf5 import Group, open_file

_HDF5 = (".h5", ".hdf5")


def _may_write(path: str, overwrite: bool) -> bool:
    """Ask before a file is replaced, unless that is wanted."""
    if overwrite or not os.path.exists(path):
        return True
    answer = ""
    while answer not in ("y", "n"):
        answer = input(f"[WARNING] {path} already exists - overwrite? [y/n]").strip().lower()
    if answer == "y":
        message("[TIP] Next time specify overwrite=True!")
    return answer == "y"


def _is_plain(path: str) -> bool:
    return not os.path.splitext(path)[1]


def save_model(
    model: Any, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any
) -> None:
    """Save a model: its structure, what it was compiled with, weights, the optimizer's state.

    The file takes its name when it is whole: a crash leaves the old file or the new one. It also
    tells where training stands (random numbers, epoch), so that training goes on after loading as
    if it had never stopped. Keras reads these files, too.

    Args:
        model: the model.
        filepath: a name that ends in ``.keras`` (Keras's format), in ``.h5`` or ``.hdf5`` (the
            older one), or has no ending: Keras's format under that name. Missing folders are
            created.
        overwrite: replace a file that is there; False: ask first. Default True.
        zipped: False: write a folder of that name with the parts of the archive. Default True.
        **kwargs: ``include_optimizer`` (default True; for ``.h5``), and the old ``save_format``.

    Raises:
        ValueError: if the ending is another one, or an argument is not known.
        OSError: if the file cannot be written; what was there before is unchanged.

    Example:
        >>> import dnnfast as keras, os, tempfile
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        >>> path = os.path.join(tempfile.mkdtemp(), "model.keras")
        >>> keras.saving.save_model(model, path)
        >>> keras.saving.load_model(path).count_params()
        15
    """
    path = os.fspath(filepath)
    include_optimizer = kwargs.pop("include_optimizer", True)
    as_hdf5 = _old_format(path, kwargs.pop("save_format", None)) or path.endswith(_HDF5)
    if kwargs:
        raise ValueError(f"save_model: unknown arguments {list(kwargs)}.")
    if not (path.endswith((".keras", *_HDF5)) or _is_plain(path) or zipped is False):
        raise ValueError(
            "Invalid filepath extension for saving: expected a name that ends in .keras, in .h5, "
            f"or has no ending, got {path!r}."
        )
    if not model.built:
        warnings.warn(
            f"Model {model.name!r} is saved before it is built: the file has no weights. Give it "
            "an Input, or call it on data first.",
            stacklevel=2,
        )
    if not _may_write(path, overwrite):
        return
    if zipped is False:
        archive.write_folder(model, path, replacing)
    elif as_hdf5:
        with replacing(path) as file:
            file.write(contents(lambda h5: legacy.write(model, h5, include_optimizer)))
    else:
        with replacing(path) as file:
            archive.write(model, file)


def _old_format(path: str, given: Any) -> bool:
    """Return whether the old argument asks for HDF5."""
    if not given:
        return False
    if not _is_plain(path) and not path.endswith((".keras", *_HDF5)):
        raise ValueError(f"save_format: leave it out; the ending of {path!r} tells the format.")
    warnings.warn(
        "save_format is deprecated: the ending of the name tells the format.",
        DeprecationWarning,
        stacklevel=3,
    )
    return given in ("h5", "hdf5") and not path.endswith(".keras")


def load_model(
    filepath: Any, custom_objects: Any = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """Return the model of a file of dnnfast or of Keras.

    Nothing in a file is executed, and no module is imported because a file names it: classes are
    those of dnnfast, and users' own that are registered or given.

    Args:
        filepath: a file that `save_model` or Keras wrote, ``.keras`` or ``.h5``, or a folder of
            its parts.
        custom_objects: dictionary of names and users' own classes and functions.
        compile: whether to compile the model as the saved one was. Default True.
        safe_mode: refuse lambdas, whose code may do anything. Default True.

    Returns:
        The model, with the saved optimizer's state if it is compiled.

    Raises:
        FileFormatError: an `OSError` and a `ValueError`, if the file is damaged, hostile, or of
            another format.
        FileNotFoundError: if there is none; it is a `ValueError`, too.
        TypeError: if a class or function is not known.
        ValueError: if it holds a lambda in safe mode, or weights that do not fit.

    Example:
        >>> import dnnfast as keras, os, tempfile
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        >>> path = os.path.join(tempfile.mkdtemp(), "model.h5")
        >>> model.save(path)
        >>> keras.models.load_model(path, compile=False).count_params()
        15
    """
    path = os.fspath(filepath)
    with _opened(path) as source:
        if isinstance(source, Group):
            return legacy.load_model(source, custom_objects, compile, safe_mode, path)
        return archive.load_model(source, custom_objects, compile, safe_mode)


@contextlib.contextmanager
def _opened(path: str) -> Iterator[Any]:
    """Give an archive, a folder, or the root of an HDF5 file, by what the file begins with."""
    if os.path.isdir(path):
        if not Path(path, archive.CONFIG).is_file():
            raise FileFormatError(f"{path!r} is a folder that holds no model in Keras's format.")
        yield archive.Folder(path)
        return
    if not os.path.exists(path):
        raise MissingFileError(f"File not found: {path!r}.")
    with open(path, "rb") as file:
        if zipfile.is_zipfile(file):
            with reading(path):
                yield archive.Archive(file, path)
            return
    with mapped(path) as content, reading(path):
        yield open_file(content)


def save_weights(
    model: Any, filepath: Any, overwrite: bool = True, max_shard_size: Any = None, **kwargs: Any
) -> None:
    """Save a model's weights, and its optimizer's state, without its structure.

    Args:
        model: the model.
        filepath: a name that ends in ``.weights.h5`` or has no ending (Keras's layout), or in
            ``.h5`` (the older layout, by layer, without the optimizer). Missing folders are
            created.
        overwrite: replace a file that is there; False: ask first. Default True.
        max_shard_size: must be None: one file holds everything.
        **kwargs: the old ``save_format``.

    Raises:
        ValueError: if the model is not built, or the ending is another one.
        OSError: if the file cannot be written; what was there before is unchanged.

    Example:
        >>> import dnnfast as keras, os, tempfile
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        >>> path = os.path.join(tempfile.mkdtemp(), "model.weights.h5")
        >>> keras.saving.save_weights(model, path)
        >>> keras.saving.load_weights(model, path)
    """
    path = os.fspath(filepath)
    kwargs.pop("save_format", None)
    if kwargs:
        raise ValueError(f"save_weights: unknown arguments {list(kwargs)}.")
    if max_shard_size is not None:
        raise ValueError("save_weights: max_shard_size must be None; one file holds everything.")
    if not (path.endswith(_HDF5) or _is_plain(path)):
        raise ValueError(f"The filename must end in `.weights.h5`. Received: filepath={path}")
    _need_built(model, "saving")
    if not _may_write(path, overwrite):
        return
    by_layer = path.endswith(_HDF5) and not path.endswith(".weights.h5")
    write = legacy.write_weights if by_layer else weights.write
    with replacing(path) as file:
        file.write(contents(lambda h5: write(model, h5)))


def _need_built(model: Any, what: str) -> None:
    if not model.built:
        raise ValueError(
            f"You are {what} weights of model {model.name!r}, which has not yet been built. Give "
            "it an Input, or call it on data or its `build` first."
        )


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Load weights, and the optimizer's state, into a model of the same structure.

    Args:
        model: the model.
        filepath: a file that `save_weights` or `save_model` or Keras wrote.
        skip_mismatch: leave out, with a warning, the layers that do not fit. Default False.
        **kwargs: ``by_name``: for the older layout, layers find their weights by their names, and
            others are left out; ``objects_to_skip``: for the newer one, a list of layers.

    Raises:
        ValueError: if weights do not fit; the model is then as it was.
        FileFormatError: an `OSError` and a `ValueError`, if the file is damaged, hostile, or of
            another format.
        FileNotFoundError: if there is none.

    Example:
        >>> import dnnfast as keras, os, tempfile
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="a")])
        >>> path = os.path.join(tempfile.mkdtemp(), "weights.h5")
        >>> model.save_weights(path)
        >>> model.load_weights(path, by_name=True)
    """
    by_name, skipped = kwargs.pop("by_name", None), kwargs.pop("objects_to_skip", None)
    if kwargs:
        raise ValueError(f"load_weights: unknown arguments {list(kwargs)}.")
    path = os.fspath(filepath)
    _need_built(model, "loading")
    with _opened(path) as source, contextlib.ExitStack() as stack:
        root = source
        if not isinstance(source, Group):
            root = stack.enter_context(source.weights())
        by_layer = _by_layer(root)
        if by_name and by_layer is None:
            raise ValueError("load_weights: by_name is for files of the older layout (.h5) only.")
        if by_layer is None:
            weights.Reading(root, model, skip_mismatch, skipped).run()
        else:
            legacy.WeightReading(by_layer, model, bool(by_name), skip_mismatch).run()


def load_into(model: Any, path: str) -> None:
    """Load weights and the optimizer's state from a file of any of the formats."""
    load_weights(model, path)
    with _opened(path) as source:
        if isinstance(source, Group) and model.compiled and "model_config" in source.attrs:
            legacy.load_state(source, model)


def _by_layer(root: Group) -> Group | None:
    """Return the weights by layer in a file of the older layout, or None."""
    attributes = root.attrs
    if "layer_names" in attributes or "layer_names0" in attributes:
        return root
    inner = root.get("model_weights")
    return inner if isinstance(inner, Group) and "model_config" in attributes else None
