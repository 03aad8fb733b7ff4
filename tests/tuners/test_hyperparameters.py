"""`HyperParameters`: values, samplings, steps, conditions, scopes, and objectives."""

from __future__ import annotations

import numpy as np
import pytest

from dnnfast.tuners import HyperModel, HyperParameters, Objective
from dnnfast.tuners.kinds import Boolean, Choice, Fixed, Float, Int

U = np.linspace(0, 1, 2001)[:-1]


def test_defaults():
    hp = HyperParameters()
    assert hp.Int("a", 3, 9) == 3 and hp.Int("b", 3, 9, default=5) == 5
    assert hp.Float("c", 0.5, 2) == 0.5
    assert hp.Choice("d", ["x", "y"]) == "x" and hp.Choice("e", [1, 2], default=2) == 2
    assert hp.Boolean("f") is False and hp.Boolean("g", default=True) is True
    assert hp.Fixed("h", 7) == 7
    assert list(hp.values) == list("abcdefgh")
    assert list(hp.values.values()) == [3, 5, 0.5, "x", 2, False, True, 7]
    assert hp.get("d") == hp["d"] == "x" and "d" in hp and "z" not in hp
    with pytest.raises(KeyError, match="no hyperparameter 'z'"):
        hp.get("z")


def test_the_first_definition_counts():
    hp = HyperParameters()
    hp.Fixed("rate", 0.125)
    assert hp.Float("rate", 1, 2) == 0.125 and len(hp.space) == 1


RANGES = [
    (Int("n", 2, 10), set(range(2, 11))),
    (Int("n", 2, 10, step=3), {2, 5, 8}),
    (Int("n", 1, 100, step=10, sampling="log"), {1, 10, 100}),
    (Int("n", 1, 100, step=10, sampling="reverse_log"), {1, 91, 100}),
    (Int("n", 5, 5), {5}),
    (Int("n", 1, 6, sampling="log"), {1, 2, 3, 4, 5, 6}),
    (Int("n", 1, 6, sampling="reverse_log"), {1, 2, 3, 4, 5, 6}),
    (Float("n", 0.0, 1.0, step=0.25), {0.0, 0.25, 0.5, 0.75, 1.0}),
    (Float("n", 0.001, 1.0, step=10, sampling="log"), {0.001, 0.01, 0.1, 1.0}),
    (Boolean("n"), {False, True}),
    (Choice("n", ["a", "b", "c"]), {"a", "b", "c"}),
    (Fixed("n", 4), {4}),
]


@pytest.mark.parametrize(("hp", "values"), RANGES, ids=[repr(r[0]) for r in RANGES])
def test_all_values_are_drawn(hp, values):
    drawn = {round(v, 9) if isinstance(v, float) else v for v in (hp.at(u) for u in U)}
    assert drawn == values
    grid = {round(v, 9) if isinstance(v, float) else v for v in hp.grid()}
    assert grid == values
    assert all(type(hp.at(u)) is type(hp.default) for u in U[::100])


def test_samplings():
    linear, log = Float("x", 1, 100), Float("x", 1, 100, sampling="log")
    reverse = Float("x", 1, 100, sampling="reverse_log")
    assert linear.at(0.5) == 50.5 and log.at(0.5) == pytest.approx(10)
    assert reverse.at(0.5) == pytest.approx(91) and reverse.at(0) == pytest.approx(1)
    for hp in (linear, log, reverse):
        assert [hp.features(hp.at(u))[0] for u in (0, 0.3, 0.9)] == pytest.approx([0, 0.3, 0.9])
    many = [Int("n", 1, 1000, sampling="log").at(u) for u in U]
    assert 0.3 < np.mean(np.array(many) < 10) < 0.36  # a third of the decades
    assert [len(hp.grid()) for hp in (linear, log)] == [10, 10]


def test_conditions():
    hp = HyperParameters()
    kind = hp.Choice("kind", ["sgd", "adam"])
    with hp.conditional_scope("kind", ["sgd"]):
        assert hp.Float("momentum", 0.5, 0.9) == 0.5
    with hp.conditional_scope("kind", "adam"):
        assert hp.Float("beta", 0.5, 0.9) is None  # nobody shall rely on it
    assert hp.Int("x", 1, 2, parent_name="kind", parent_values=["adam"]) is None
    assert (kind, set(hp.values)) == ("sgd", {"kind", "momentum"})
    assert hp.is_active("momentum") and not hp.is_active("beta")
    with pytest.raises(ValueError, match="'beta' has no value: its conditions do not hold"):
        hp.get("beta")
    with (
        pytest.raises(ValueError, match=r"no hyperparameter 'other'.*There are: kind"),
        hp.conditional_scope("other", [1]),
    ):
        pass


def test_one_name_under_two_conditions():
    hp = HyperParameters()
    hp.values = {"kind": "b"}
    hp.Choice("kind", ["a", "b"])
    for value, low in (("a", 1), ("b", 10)):
        with hp.conditional_scope("kind", [value]):
            hp.Int("n", low, low + 5)
    assert hp.values["n"] == 10 and len(hp.space) == 3


def test_scopes_of_names():
    hp = HyperParameters()
    with hp.name_scope("encoder"):
        hp.Int("layers", 1, 3)
        with hp.conditional_scope("layers", [1]):
            hp.Int("units", 4, 8)
        assert hp.get("layers") == 1
    assert hp.values == {"encoder/layers": 1, "encoder/units": 4}
    with pytest.raises(ValueError, match="must not hold '/'"), hp.name_scope("a/b"):
        pass


def test_as_data():
    hp = HyperParameters()
    hp.Int("a", 1, 8, step=2, sampling="log")
    hp.Choice("b", ["x", "y"], default="y")
    hp.Boolean("c", parent_name="b", parent_values=["y"])
    hp.Fixed("d", 2.5)
    copy = HyperParameters.from_config(hp.get_config())
    assert copy.get_config() == hp.get_config()
    assert [type(one) for one in copy.space] == [Int, Choice, Boolean, Fixed]
    own = hp.copy()
    own.values["a"] = 4
    own.Int("e", 0, 1)
    assert hp.values["a"] == 1 and "e" not in hp
    assert hp.merge(own) and not hp.merge(own) and hp.values["e"] == 0


ERRORS = [
    (lambda hp: hp.Int("a", 5, 2), ValueError, "Int 'a': min_value 5 is above max_value 2"),
    (lambda hp: hp.Int("a", 1.5, 2), ValueError, "min_value must be an integer, got 1.5"),
    (lambda hp: hp.Int("a", 0, 9, sampling="log"), ValueError, "needs a min_value above 0, got 0"),
    (lambda hp: hp.Int("a", 1, 9, step=0), ValueError, "step must be above 0, got 0"),
    (lambda hp: hp.Float("a", 1, 9, step=1, sampling="log"), ValueError, "step must be above 1"),
    (lambda hp: hp.Float("a", 1, 9, sampling="lag"), ValueError, 'Did you mean "log"'),
    (lambda hp: hp.Float("a", 1, 9, default=10), ValueError, "default must be from 1 to 9"),
    (lambda hp: hp.Choice("a", []), ValueError, "at least one value"),
    (lambda hp: hp.Choice("a", ["x", 1]), TypeError, "of one type"),
    (lambda hp: hp.Choice("a", ["x"], default="y"), ValueError, "default must be one of"),
    (lambda hp: hp.Choice("a", ["x"], ordered=True), ValueError, "strings have no order"),
    (lambda hp: hp.Choice("a", [[1]]), TypeError, "strings, numbers or truth values"),
]


@pytest.mark.parametrize(("call", "error", "message"), ERRORS)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call(HyperParameters())


def test_objectives():
    assert Objective("val_loss").direction == "min"
    assert Objective("reward", "max").is_better(2, 1)
    for worse in (None, float("nan"), 0):
        assert Objective("reward", "max").is_better(1, worse)
        assert not Objective("reward", "max").is_better(worse, 1)
    with pytest.raises(ValueError, match=r'pass Objective\(.reward., "max"\)'):
        Objective("reward")
    with pytest.raises(NotImplementedError, match=r"define build\(self, hp\)"):
        HyperModel().build(HyperParameters())
