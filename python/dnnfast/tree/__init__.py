"""Nested lists, tuples and dicts of things."""

from dnnfast.tree.structure import flatten, is_nested, map_structure, pack_sequence_as

__all__ = ["flatten", "is_nested", "map_structure", "pack_sequence_as"]
