"""What layers compute in: `DTypePolicy` and its names."""

from dnnfast.dtype_policies.policy import DTypePolicy, deserialize, get, serialize

__all__ = ["DTypePolicy", "deserialize", "get", "serialize"]
