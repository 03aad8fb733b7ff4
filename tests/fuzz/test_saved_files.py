"""A few of the damaged and hostile files of `saved_files.py`."""

import numpy as np
import pytest

from fuzz.mutations import WAYS, mutated
from fuzz.saved_files import Loader, fuzz


def test_damaged_files_load_or_are_refused():
    outcomes, wrong = fuzz(120, seed=11)
    assert not wrong
    assert sum(outcomes.values()) == 120
    refused = {outcome.split()[0] for outcome in outcomes if outcome.endswith("Error")}
    assert refused == set(WAYS)


def test_numbers_name_mutations(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    loader = Loader(tmp_path, 11)
    for number in range(6):
        a, b = mutated(11, number, loader.good), mutated(11, number, loader.good)
        assert a == b
    for contents in loader.good.values():
        assert all(np.frombuffer(content, np.uint8).size > 1000 for content in contents)


@pytest.mark.slow
def test_thousands_of_damaged_files():
    outcomes, wrong = fuzz(4000, seed=12)
    assert not wrong
    assert sum(outcomes.values()) == 4000
