"""Nested structures."""

import collections

import pytest

from dnnfast import tree

Point = collections.namedtuple("Point", ["x", "y"])
Other = collections.namedtuple("Other", ["x", "y"])
STRUCTURES = [
    3,
    None,
    [],
    {},
    [None],
    [1, (2, [3, []]), {"b": 4, "a": None}],
    Point(1, [2, 3]),
    collections.OrderedDict([("b", 1), ("a", (2,))]),
    collections.defaultdict(list, {"b": [1], "a": 2}),
    collections.deque([1, {"a": 2}], maxlen=5),
    {100: "world", 6: "hello"},
    ((1,), [[[2]]]),
]


@pytest.mark.parametrize("structure", STRUCTURES, ids=str)
def test_taken_apart_and_put_together(structure):
    leaves = tree.flatten(structure)
    assert tree.pack_sequence_as(structure, leaves) == structure
    assert type(tree.pack_sequence_as(structure, iter(leaves))) is type(structure)
    paths = tree.flatten_with_path(structure)
    assert [leaf for _, leaf in paths] == leaves
    for path, leaf in paths:
        found = structure
        for key in path:
            found = found[key]
        assert found == leaf
    assert tree.map_structure(lambda leaf: leaf, structure) == structure
    tree.assert_same_structure(structure, tree.map_structure(str, structure))
    if leaves:
        with pytest.raises(ValueError, match="places"):
            tree.pack_sequence_as(structure, leaves[1:])
    with pytest.raises(ValueError, match="places"):
        tree.pack_sequence_as(structure, [*leaves, 0])


def test_order_of_dicts():
    assert tree.flatten({"b": 1, "a": 2}) == [2, 1]
    assert tree.flatten(collections.OrderedDict([("b", 1), ("a", 2)])) == [1, 2]
    assert list(tree.map_structure(str, {"b": 1, "a": 2})) == ["b", "a"]
    assert tree.flatten({"b": 1, 2: 3}) == [1, 3]  # keys that cannot be sorted


DIFFERENT = [
    ([1, 2], (1, 2)),
    ([1, 2], [1]),
    ([1, [2]], [1, 2]),
    ([1, 2], [1, [2]]),
    ({"a": 1}, {"b": 1}),
    (Point(1, 2), Other(1, 2)),
    (1, [1]),
    ([1], None),
]


@pytest.mark.parametrize(("a", "b"), DIFFERENT, ids=str)
def test_structures_that_differ(a, b):
    with pytest.raises(ValueError, match="differ"):
        tree.assert_same_structure(a, b)
    with pytest.raises(ValueError, match="differ"):
        tree.map_structure(lambda u, v: 0, a, b)


def test_structures_that_are_alike():
    a = {"x": [1, None], "y": Point(2, 3)}
    b = collections.OrderedDict([("y", Point(4, 5)), ("x", ["6", 7])])
    tree.assert_same_structure(a, b)
    tree.assert_same_paths([0, {"a": 1}], (2, collections.OrderedDict(a=3)))
    with pytest.raises(ValueError, match=r"only a has \[\(1,\)\]"):
        tree.assert_same_paths([0, 1], [0])
    paired = tree.map_structure(lambda u, v: (u, v), a, b)
    assert paired == {"x": [(1, "6"), (None, 7)], "y": Point((2, 4), (3, 5))}


def test_none_as_a_leaf():
    assert tree.map_structure(lambda leaf: 0, [None, 1]) == [0, 0]
    assert tree.map_structure(lambda leaf: 0, [None, 1], none_is_leaf=False) == [None, 0]
    with pytest.raises(ValueError, match="at least one"):
        tree.map_structure(str)
    with pytest.raises(TypeError, match="function"):
        tree.map_structure(3, [1])


def test_mapping_up_to_a_shallow_structure():
    assert tree.map_structure_up_to([0, [0, 0]], str, [[1, 1], [2, 2]]) == ["[1, 1]", ["2", "2"]]
    assert tree.map_structure_up_to({"a": 0}, lambda u, v: [u, v], {"a": (1,)}, {"a": 2}) == {
        "a": [(1,), 2]
    }
    with pytest.raises(ValueError, match="differ"):
        tree.map_structure_up_to([0, 0], str, 1)


def test_traversing():
    structure, seen = [(1, 2), [3], {"a": 4}], []
    assert tree.traverse(seen.append, structure) == structure
    assert seen == [structure, (1, 2), 1, 2, [3], 3, {"a": 4}, 4]
    seen.clear()
    tree.traverse(seen.append, structure, top_down=False)
    assert seen == [1, 2, (1, 2), 3, [3], 4, {"a": 4}, structure]

    def replace(part):
        if isinstance(part, tuple):
            return "pair"
        return tree.MAP_TO_NONE if part == 3 else None

    assert tree.traverse(replace, structure) == ["pair", [None], {"a": 4}]
    assert tree.lists_to_tuples([1, [2, {"a": [3]}]]) == (1, (2, {"a": (3,)}))
    assert tree.map_shape_structure(lambda s: 0, [(1, None), {"a": [2]}]) == [0, {"a": 0}]
