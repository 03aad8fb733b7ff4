"""Every function of `dnnfast.ops` has a docstring that explains it, with a running example."""

import doctest
import inspect

import pytest

from dnnfast import ops

OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


@pytest.mark.parametrize("name", ops.__all__)
def test_example_runs(name):
    function = getattr(ops, name)
    assert function.__name__ == name
    text = inspect.getdoc(function)
    found = doctest.DocTestFinder(recurse=False).find(function, name, globs={})
    assert text and sum(len(test.examples) for test in found) >= 2, f"ops.{name} has no example"
    for test in found:
        assert doctest.DocTestRunner(optionflags=OPTIONS).run(test).failed == 0


@pytest.mark.parametrize("name", ops.__all__)
def test_every_argument_is_explained(name):
    function = getattr(ops, name)
    text = inspect.getdoc(function)
    missing = [p for p in inspect.signature(function).parameters if f"    {p}: " not in text]
    assert not missing
