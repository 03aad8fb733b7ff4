"""The policies, and the one that new layers get."""

from __future__ import annotations

from typing import Any

from dnnfast.errors import unknown_name

# What the operands of a layer's products may be rounded to.
_PRECISIONS = {"float32": "float32", "tf32": "tf32", "mixed_bfloat16": "bfloat16"}


class DTypePolicy:
    """What a layer computes in.

    Weights, activations, statistics, losses and all sums are float32 in every policy. What differs
    is the operands of the products of `Dense`: with ``"tf32"`` a device may round them to 10 bits
    of mantissa, with ``"mixed_bfloat16"`` to 7, where that makes it faster: for wide layers and
    batches of more than 128 rows on a GPU. Elsewhere, on a CPU too, they stay float32, which is
    more exact. `Model.plan` shows which. (Keras also rounds activations to bfloat16.)

    Args:
        name: ``"float32"``, ``"tf32"`` or ``"mixed_bfloat16"``. Default that of
            `config.dtype_policy`.

    Raises:
        ValueError: for another name.

    Example:
        >>> import dnnfast as keras
        >>> policy = keras.dtype_policies.DTypePolicy("mixed_bfloat16")
        >>> policy.compute_dtype, policy.variable_dtype
        ('bfloat16', 'float32')
        >>> keras.layers.Dense(8, dtype=policy).dtype_policy.name
        'mixed_bfloat16'
    """

    variable_dtype = "float32"

    def __init__(self, name: str | None = None) -> None:
        chosen = dtype_policy().name if name is None else name
        if not isinstance(chosen, str) or chosen not in _PRECISIONS:
            raise unknown_name("dtype policy", chosen, _PRECISIONS)
        self.name: str = chosen

    @property
    def precision(self) -> str:
        """What operands of products may be rounded to."""
        return _PRECISIONS[self.name]

    @property
    def compute_dtype(self) -> str:
        """``"bfloat16"`` or ``"float32"``, as Keras calls it."""
        return "bfloat16" if self.name == "mixed_bfloat16" else "float32"

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


_global = DTypePolicy("float32")


def get(identifier: Any = None) -> DTypePolicy:
    """Return the policy of a name, a serialized form or a policy; None: that of new layers.

    Raises:
        ValueError: if there is none.
    """
    if identifier is None:
        return _global
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict) and isinstance(identifier.get("config"), dict):
        return DTypePolicy(identifier["config"].get("name"))
    return DTypePolicy(identifier)


def serialize(policy: DTypePolicy) -> str:
    """Return the policy's name."""
    return policy.name


def deserialize(config: Any) -> DTypePolicy:
    """Return the policy of a name or a serialized form."""
    return get(config)


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
        policy: a `DTypePolicy` or its name: ``"float32"``, ``"tf32"``, ``"mixed_bfloat16"``.

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
    _global = get(policy)
