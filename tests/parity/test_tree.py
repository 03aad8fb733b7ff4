"""Nested structures are taken apart in Keras's order."""

import pytest

from api.test_tree import DIFFERENT, STRUCTURES
from dnnfast import tree
from parity.oracle import keras3

pytestmark = pytest.mark.parity


def outcome(function, *args):
    """Return the result, or the error's type."""
    try:
        return function(*args)
    except Exception as error:
        return type(error)


@pytest.mark.parametrize("structure", STRUCTURES, ids=str)
def test_one_structure(structure):
    theirs = keras3.tree
    assert tree.is_nested(structure) == theirs.is_nested(structure)
    assert tree.flatten(structure) == theirs.flatten(structure)
    assert tree.flatten_with_path(structure) == theirs.flatten_with_path(structure)
    for call in (str, lambda leaf: None):
        ours, found = tree.map_structure(call, structure), theirs.map_structure(call, structure)
        assert ours == found
        assert list(ours or ()) == list(found or ())  # the order of keys, too
    for top_down in (True, False):
        calls = [[], []]
        tree.traverse(calls[0].append, structure, top_down)
        theirs.traverse(calls[1].append, structure, top_down)
        assert calls[0] == calls[1]
    assert tree.lists_to_tuples(structure) == theirs.lists_to_tuples(structure)


@pytest.mark.parametrize(("a", "b"), DIFFERENT, ids=str)
def test_structures_that_differ(a, b):
    for name in ("assert_same_structure", "assert_same_paths"):
        ours, theirs = (outcome(getattr(package, name), a, b) for package in (tree, keras3.tree))
        assert ours == theirs
