"""Names of element types."""

from __future__ import annotations

from typing import Any

from dnnfast.errors import unknown_name

FLOATS = ("float16", "bfloat16", "float32", "float64")
INTEGERS = ("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64")
_OTHERS = ("bool", "string")
# What Python's own types stand for.
_PYTHON_TYPES = {bool: "bool", int: "int32", float: "float32", str: "string"}


def standardize_dtype(dtype: Any) -> str:
    """Return the name of an element type.

    Args:
        dtype: a name, a NumPy type, one of Python's types, or None for `config.floatx`.

    Raises:
        ValueError: if there is no such type.

    Example:
        >>> import dnnfast, numpy
        >>> dnnfast.dtypes.standardize_dtype(numpy.float64), dnnfast.dtypes.standardize_dtype(int)
        ('float64', 'int32')
    """
    if dtype is None:
        return "float32"
    name = _PYTHON_TYPES.get(dtype, dtype) if isinstance(dtype, type) else dtype
    name = getattr(name, "name", None) or getattr(name, "__name__", None) or name
    if not isinstance(name, str) or name not in (*FLOATS, *INTEGERS, *_OTHERS):
        raise unknown_name("dtype", dtype, (*FLOATS, *INTEGERS, "bool"))
    return name


def is_float_dtype(dtype: Any) -> bool:
    """Tell whether an element type is a floating-point one.

    Example:
        >>> import dnnfast
        >>> dnnfast.dtypes.is_float_dtype("bfloat16"), dnnfast.dtypes.is_float_dtype("int8")
        (True, False)
    """
    return standardize_dtype(dtype) in FLOATS


def is_int_dtype(dtype: Any) -> bool:
    """Tell whether an element type is an integer one.

    Example:
        >>> import dnnfast
        >>> dnnfast.dtypes.is_int_dtype("uint8"), dnnfast.dtypes.is_int_dtype("bool")
        (True, False)
    """
    return standardize_dtype(dtype) in INTEGERS


def numpy_dtype(dtype: Any, where: str = "dtype") -> str:
    """Return the name of an element type that NumPy has.

    Raises:
        ValueError: if there is no such type, or NumPy lacks it.
    """
    name = standardize_dtype(dtype)
    if name in ("bfloat16", "string"):
        raise ValueError(f"{where}: NumPy has no {name} arrays; use float32.")
    return name
