"""Exceptions of the package, and the wording of its errors about names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class NonFiniteLossError(FloatingPointError):
    """The loss of a training step became NaN or infinite; that step was not applied.

    Args:
        step: the step's number in its epoch, from 0.
        loss: the loss as computed.

    Example:

    >>> error = NonFiniteLossError(step=3, loss=float("nan"))
    >>> error.step, str(error).split(";")[0]
    (3, 'the loss became nan at step 3 of the epoch')
    """

    def __init__(self, step: int, loss: float) -> None:
        self.step = int(step)
        self.loss = float(loss)
        super().__init__(
            f"the loss became {self.loss} at step {self.step} of the epoch; that step was not "
            "applied and the model is as it was before it. Usual causes: a learning rate that is "
            "too high (lower it, or set clipnorm in the optimizer), NaN or unscaled values in the "
            "data, or class labels outside of [0, classes)"
        )

    def __reduce__(self) -> tuple[type[NonFiniteLossError], tuple[int, float]]:
        return type(self), (self.step, self.loss)


class FileFormatError(OSError, ValueError):
    """A file is not what it should be: damaged, of another format, or hostile.

    Keras raises `OSError` for some of these and `ValueError` for others; this is both.

    Example:
        >>> import dnnfast, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "model.keras"
        >>> size = path.write_bytes(b"no model")
        >>> dnnfast.models.load_model(path)
        Traceback (most recent call last):
        dnnfast.errors.FileFormatError: ...
    """


class MissingFileError(FileNotFoundError, ValueError):
    """There is no such file; a `FileNotFoundError` and, as in Keras, a `ValueError`."""


class UnknownArgumentError(TypeError, ValueError):
    """A constructor was given an argument that it does not have.

    Python's own error of this kind is a TypeError, Keras's a ValueError; this one is both.

    Example:

    >>> issubclass(UnknownArgumentError, ValueError)
    True
    """


def suggest(name: object, choices: Iterable[str]) -> str:
    """Return a sentence that names the closest choices, or "" where none is close.

    Args:
        name: what was given.
        choices: what would have been valid.

    Example:

    >>> suggest("sigmod", ["relu", "sigmoid", "tanh"])
    'Did you mean "sigmoid"?'
    >>> suggest("qqqq", ["relu"])
    ''
    """
    by_lower = {choice.lower(): choice for choice in choices}
    close = difflib.get_close_matches(str(name).lower(), by_lower, n=2, cutoff=0.6)
    if not close:
        return ""
    return "Did you mean " + " or ".join(f'"{by_lower[key]}"' for key in close) + "?"


def unknown_name(what: str, name: object, choices: Iterable[str]) -> ValueError:
    """Return (not raise) the ValueError for a name that is not among the choices.

    Args:
        what: what is named, for example "activation".
        name: what was given.
        choices: the valid names, in the order in which they are to be listed.

    Example:

    >>> print(unknown_name("activation", "reul", ["relu", "tanh"]))
    unknown activation "reul". Did you mean "relu"? Choose one of: relu, tanh
    """
    options = list(choices)
    parts = [f'unknown {what} "{name}".', suggest(name, options)]
    parts.append("Choose one of: " + ", ".join(options))
    return ValueError(" ".join(part for part in parts if part))
