"""The policies, and the one that new layers get."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast.errors import unknown_name
from dnnfast.lookup import deserialize_object
from dnnfast.saving.objects import serialize_keras_object

# What the operands of a layer's products may be rounded to; tf32 has the mantissa of float16.
_PRECISIONS = {
    "float32": "float32",
    "tf32": "tf32",
    "mixed_bfloat16": "bfloat16",
    "mixed_float16": "tf32",
}
_COMPUTE_DTYPES = {"mixed_bfloat16": "bfloat16", "mixed_float16": "float16"}


class DTypePolicy:
    """What a layer computes in.

    Weights, activations, statistics, losses and all sums are float32 in every policy. What differs
    is the operands of the products of `Dense`: with ``"tf32"`` and ``"mixed_float16"`` a device may
    round them to 10 bits of mantissa, with ``"mixed_bfloat16"`` to 7, where that makes it faster:
    for wide layers and batches of more than 128 rows on a GPU. Elsewhere, on a CPU too, they stay
    float32, which is more exact. `Model.plan` shows which. (Keras also rounds activations. As the
    range is never that of float16, losses need no scaling.)

    Args:
        name: ``"float32"``, ``"tf32"``, ``"mixed_bfloat16"`` or ``"mixed_float16"``. Default that
            of `config.dtype_policy`.

    Raises:
        ValueError: for another name.
        TypeError: if it is no string.

    Example:
        >>> import dnnfast as keras
        >>> policy = keras.dtype_policies.DTypePolicy("mixed_bfloat16")
        >>> policy.compute_dtype, policy.variable_dtype
        ('bfloat16', 'float32')
        >>> keras.layers.Dense(8, dtype=policy).dtype_policy.name
        'mixed_bfloat16'
    """

    def __init__(self, name: str | None = None) -> None:
        chosen = dtype_policy().name if name is None else name
        if not isinstance(chosen, str):
            raise TypeError(f"DTypePolicy: name must be a string, got {chosen!r}.")
        if chosen not in _PRECISIONS:
            raise unknown_name("dtype policy", chosen, _PRECISIONS)
        self._name = chosen

    @property
    def name(self) -> str:
        """The policy's name."""
        return self._name

    @property
    def precision(self) -> str:
        """What operands of products may be rounded to."""
        return _PRECISIONS[self.name]

    @property
    def compute_dtype(self) -> str:
        """``"float32"``, or ``"bfloat16"`` or ``"float16"`` for a mixed policy."""
        return _COMPUTE_DTYPES.get(self.name, "float32")

    @property
    def variable_dtype(self) -> str:
        """``"float32"``."""
        return "float32"

    @property
    def quantization_mode(self) -> None:
        """None: weights are not quantized."""
        return None

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicy:
        """Create the policy from the result of `get_config`."""
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicy) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self.name}">'


FloatDTypePolicy = DTypePolicy
_global = DTypePolicy("float32")


def get(identifier: Any = None) -> DTypePolicy:
    """Return the policy of a name, a serialized form, an element type or a policy.

    Args:
        identifier: None for that of new layers.

    Raises:
        ValueError: if there is none.

    Example:
        >>> import dnnfast
        >>> dnnfast.dtype_policies.get("mixed_bfloat16")
        <DTypePolicy "mixed_bfloat16">
    """
    if identifier is None:
        return _global
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, (type, np.dtype)):
        identifier = np.dtype(identifier).name
    if not isinstance(identifier, str):
        raise ValueError(
            f"dtype: expected a policy, its name or its serialized form, got {identifier!r}."
        )
    return DTypePolicy(identifier)


def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """Return the policy as plain data.

    Example:
        >>> import dnnfast
        >>> policy = dnnfast.dtype_policies.get("float32")
        >>> dnnfast.dtype_policies.serialize(policy)["config"]
        {'name': 'float32'}
    """
    data: dict[str, Any] = serialize_keras_object(dtype_policy)
    return data


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> DTypePolicy:
    """Return the policy of plain data, or of a name.

    Args:
        config: the result of `serialize`, or a name.
        custom_objects: names of users' own classes.

    Raises:
        ValueError: if there is none.

    Example:
        >>> import dnnfast
        >>> dnnfast.dtype_policies.deserialize("float32")
        <DTypePolicy "float32">
    """
    from dnnfast import dtype_policies

    if isinstance(config, str):
        return DTypePolicy(config)
    classes = {name: getattr(dtype_policies, name) for name in dtype_policies.CLASSES}
    found = deserialize_object("dtype policy", config, classes, custom_objects)
    if not isinstance(found, DTypePolicy):
        raise ValueError(f"dtype: expected the serialized form of a policy, got {config!r}.")
    return found


def dtype_policy() -> DTypePolicy:
    """Return the policy that new layers get, ``"float32"`` unless changed.

    Example:
        >>> import dnnfast
        >>> dnnfast.config.dtype_policy()
        <DTypePolicy "float32">
    """
    return _global


def set_dtype_policy(policy: Any) -> None:
    """Set the policy that new layers get.

    Args:
        policy: a `DTypePolicy` or its name: ``"float32"``, ``"tf32"``, ``"mixed_bfloat16"``,
            ``"mixed_float16"``.

    Raises:
        ValueError: if there is no such policy.

    Example:
        >>> import dnnfast as keras
        >>> keras.config.set_dtype_policy("mixed_bfloat16")
        >>> keras.layers.Dense(3).compute_dtype
        'bfloat16'
        >>> keras.config.set_dtype_policy("float32")
    """
    global _global
    if not isinstance(policy, (str, DTypePolicy)):
        raise ValueError(f"set_dtype_policy: expected a policy or its name, got {policy!r}.")
    _global = get(policy)
