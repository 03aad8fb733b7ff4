"""What layers compute in: `DTypePolicy` and its names."""

from dnnfast.dtype_policies.policy import (
    DTypePolicy,
    FloatDTypePolicy,
    deserialize,
    get,
    serialize,
)
from dnnfast.dtype_policies.policy_map import DTypePolicyMap

# What serialized forms may name.
CLASSES = ("DTypePolicy", "DTypePolicyMap", "FloatDTypePolicy")

__all__ = [
    "DTypePolicy",
    "DTypePolicyMap",
    "FloatDTypePolicy",
    "deserialize",
    "get",
    "serialize",
]
