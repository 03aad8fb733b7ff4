"""Sequences of different lengths as one array."""

from __future__ import annotations

from typing import Any

import numpy as np


def pad_sequences(
    sequences: Any,
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Return sequences as rows of one array, padded and cut to the same length.

    Args:
        sequences: a list of sequences of numbers (or of arrays of one shape).
        maxlen: the length; default that of the longest.
        dtype: of the result, ``object`` for strings. Default ``"int32"``.
        padding: ``"pre"`` (default) pads before a sequence, ``"post"`` after it.
        truncating: ``"pre"`` (default) cuts off the begin of a long sequence, ``"post"`` its end.
        value: what to pad with. Default 0.

    Raises:
        ValueError: if something is no sequence, shapes differ, or an argument does not fit.

    Example:
        >>> import dnnfast
        >>> dnnfast.utils.pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2).tolist()
        [[0, 1], [2, 3], [5, 6]]
    """
    for name, given in (("padding", padding), ("truncating", truncating)):
        if given not in ("pre", "post"):
            raise ValueError(f'pad_sequences: {name} must be "pre" or "post", got {given!r}.')
    if not hasattr(sequences, "__len__"):
        raise ValueError(f"pad_sequences: expected a list of sequences, got {sequences!r}.")
    for i, sequence in enumerate(sequences):
        if not hasattr(sequence, "__len__"):
            raise ValueError(f"pad_sequences: item {i} is no sequence: {sequence!r}.")
    text = np.issubdtype(dtype, np.str_) or np.issubdtype(dtype, np.bytes_)
    if isinstance(value, str) and dtype is not object and not text:
        raise ValueError(
            f"pad_sequences: value={value!r} does not fit dtype {dtype!r}; use dtype=object."
        )
    filled = [sequence for sequence in sequences if len(sequence)]
    shape = np.asarray(filled[0]).shape[1:] if filled else ()
    if maxlen is None:
        maxlen = max((len(sequence) for sequence in sequences), default=0)
    result = np.full((len(sequences), maxlen, *shape), value, dtype=dtype)
    for i, sequence in enumerate(sequences):
        if not len(sequence) or not maxlen:
            continue
        kept = np.asarray(
            sequence[-maxlen:] if truncating == "pre" else sequence[:maxlen], dtype=dtype
        )
        if kept.shape[1:] != shape:
            raise ValueError(
                f"pad_sequences: the items of sequence {i} have shape {kept.shape[1:]}, those of "
                f"the first one {shape}."
            )
        if padding == "post":
            result[i, : len(kept)] = kept
        else:
            result[i, maxlen - len(kept) :] = kept
    return result
