"""Different policies for the layers of a model."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping
from typing import Any

from dnnfast.dtype_policies import policy as policies
from dnnfast.dtype_policies.policy import DTypePolicy
from dnnfast.saving.objects import deserialize_keras_object, serialize_keras_object


class DTypePolicyMap(DTypePolicy, MutableMapping[str, DTypePolicy]):
    """Policies by the names of layers, for the ``dtype`` of several layers at once.

    Args:
        default_policy: of layers that are not listed: a policy or its name. Default that of
            `config.dtype_policy`.
        policy_map: dictionary of names, or regular expressions that match whole names, and
            policies.

    Raises:
        ValueError: if the default is a map or unknown; when looked up, if two expressions match.
        TypeError: if ``policy_map`` is no dictionary.

    Example:
        >>> import dnnfast as keras
        >>> policies = keras.dtype_policies.DTypePolicyMap("float32")
        >>> policies["wide.*"] = "mixed_bfloat16"
        >>> keras.layers.Dense(2, dtype=policies, name="wide_1").compute_dtype
        'bfloat16'
        >>> keras.layers.Dense(2, dtype=policies, name="narrow").compute_dtype
        'float32'
    """

    def __init__(
        self, default_policy: Any = None, policy_map: dict[str, DTypePolicy] | None = None
    ) -> None:
        if isinstance(default_policy, DTypePolicyMap):
            raise ValueError("DTypePolicyMap: default_policy cannot be a map itself.")
        if policy_map is not None and not isinstance(policy_map, dict):
            raise TypeError(f"DTypePolicyMap: policy_map must be a dict, got {policy_map!r}.")
        self._given = default_policy
        self._default = policies.get(default_policy)
        self._policies: dict[str, DTypePolicy] = {}
        for key, policy in (policy_map or {}).items():
            self[key] = policy

    @property
    def default_policy(self) -> DTypePolicy:
        """The policy of layers that are not listed."""
        return self._default

    @property
    def name(self) -> str:
        """``"map_"`` and the name of the default policy."""
        return f"map_{self._default.name}"

    @property
    def precision(self) -> str:
        """That of the default policy."""
        return self._default.precision

    @property
    def compute_dtype(self) -> str:
        """That of the default policy."""
        return self._default.compute_dtype

    def __getitem__(self, key: str) -> DTypePolicy:
        if key in self._policies:
            return self._policies[key]
        matching = [pattern for pattern in self._policies if re.fullmatch(pattern, key)]
        if len(matching) > 1:
            raise ValueError(
                f"DTypePolicyMap: several of its keys match {key!r}: {matching}. Make them exclude "
                "each other."
            )
        return self._policies[matching[0]] if matching else self._default

    def __setitem__(self, key: str, policy: Any) -> None:
        if key in self._policies:
            raise ValueError(
                f"DTypePolicyMap: {key!r} has the policy {self._policies[key]!r} already; delete "
                "that first."
            )
        self._policies[key] = policies.get(policy)

    def __delitem__(self, key: str) -> None:
        del self._policies[key]

    def __contains__(self, key: object) -> bool:
        return key in self._policies

    def __len__(self) -> int:
        return len(self._policies)

    def __iter__(self) -> Iterator[str]:
        return iter(self._policies)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            "default_policy": serialize_keras_object(self._given),
            "policy_map": serialize_keras_object(self._policies),
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> DTypePolicyMap:
        """Create the map from the result of `get_config`."""
        found = {k: deserialize_keras_object(v, custom_objects) for k, v in config.items()}
        return cls(**found)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, DTypePolicyMap)
            and other._default == self._default
            and other._policies == self._policies
        )

    __hash__ = DTypePolicy.__hash__

    def __repr__(self) -> str:
        listed = [(key, policy.name) for key, policy in self._policies.items()]
        return f"<DTypePolicyMap default_policy={self._default.name}, mapping={listed}>"
