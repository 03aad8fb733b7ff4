"""Every optimizer and schedule, found by introspection: arguments, numbers, state, copies."""

import copy
import inspect
import json
import pickle

import numpy as np
import pytest

import dnnfast as keras
from api.data import regression

CLASSES = list(keras.optimizers.ALL.values())
COMMON = [
    {"use_ema": True, "ema_momentum": 0.5},
    {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 2},
    {"gradient_accumulation_steps": 2, "weight_decay": 0.1, "clipnorm": 0.5},
    {"loss_scale_factor": 3.0, "clipvalue": 0.1},
]
each_class = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)


def network(optimizer, seed=1):
    keras.utils.set_random_seed(seed)
    layers = [keras.Input((6,)), keras.layers.Dense(5, "tanh"), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.compile(optimizer, "mse")
    return model


def trained(optimizer, epochs=1, batch_size=16):
    x, y = (a[:192] for a in regression())
    model = network(optimizer)
    model.fit(x, y, epochs=epochs, batch_size=batch_size, shuffle=False, verbose=0)
    return model


def assert_same_weights(a, b, rtol=1e-5):
    for mine, theirs in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=rtol, atol=rtol * np.abs(theirs).max())


@pytest.mark.parametrize("options", COMMON, ids=str)
@each_class
def test_fit_is_apply_repeated(cls, options, device):
    """Also checks both engines: numbers of `apply` are compared with Keras's elsewhere."""
    x, y = (a[:192] for a in regression())
    fitted = trained(cls(0.01, **options))
    model, optimizer = network("sgd"), cls(0.01, **options)
    model.optimizer = None
    variables = model.trainable_weights
    scale = options.get("loss_scale_factor", 1.0)
    for begin in range(0, len(x), 16):
        found = model.gradients(x[begin : begin + 16], y[begin : begin + 16])
        optimizer.apply([scale * found[v.path] for v in variables], variables)
    optimizer.finalize_variable_values(variables)
    assert_same_weights(fitted, model, 1e-4)
    assert int(optimizer.iterations) == int(fitted.optimizer.iterations)


@each_class
def test_saved_state_goes_on(cls, device):
    """Twice an epoch, with all state moved to another model between them, is two epochs."""
    options = {"use_ema": True, "ema_momentum": 0.5, "gradient_accumulation_steps": 5}
    x, y = (a[:192] for a in regression())
    whole = trained(cls(0.01, **options))
    moved = trained(cls(0.01, **options))
    store = {}
    moved.optimizer.save_own_variables(store)
    later = network(cls(0.01, **options), seed=2)
    later.fit(x[:16], y[:16], verbose=0)
    later.set_weights(moved.get_weights())
    later.optimizer.load_own_variables(store)
    assert len(store) == len(later.optimizer.variables)
    for model in (whole, later):
        model.fit(x, y, batch_size=16, shuffle=False, verbose=0)
    if device == "reference":  # whose float64 weights move as float32
        return assert_same_weights(whole, later)
    for a, b in zip(whole.get_weights(), later.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@each_class
def test_set_weights_and_its_errors(cls):
    w = keras.Variable(np.ones((3, 2)), name="w")
    optimizer = cls(0.5)
    with pytest.raises(ValueError, match="built"):
        optimizer.set_weights([])
    optimizer.apply([np.ones((3, 2))], [w])
    weights = optimizer.get_weights()
    assert weights[0] == 1
    assert weights[1] == 0.5
    optimizer.apply([np.full((3, 2), 2.0)], [w])
    optimizer.set_weights(weights)
    for a, b in zip(optimizer.get_weights(), weights, strict=True):
        np.testing.assert_allclose(a, b)
    with pytest.raises(ValueError, match="arrays"):
        optimizer.set_weights(weights[1:])
    with pytest.raises(ValueError, match="shape"):
        optimizer.set_weights([np.zeros(3), *weights[1:]])


@each_class
def test_arguments_are_checked(cls):
    parameters = inspect.signature(cls.__init__).parameters
    bad = {"learning_rate": [-1.0, np.nan, "fast"], "weight_decay": [-0.1]}
    bad |= {key: [0.0, -1.0, np.inf] for key in ("clipnorm", "clipvalue", "global_clipnorm")}
    bad |= {"ema_momentum": [-0.1, 1.5], "ema_overwrite_frequency": [-1, 0.5]}
    bad |= {"gradient_accumulation_steps": [1, 2.5], "loss_scale_factor": [0.0, -2.0]}
    for name in parameters:
        if name.startswith(("beta_", "adam_beta_", "rho")) and name != "beta_2_decay":
            bad[name] = [-0.1, 1.0, "x"]
        elif name.startswith("epsilon"):
            bad[name] = [0.0, -1e-7, np.nan]
        elif name.endswith("_strength") or name in ("initial_accumulator_value", "beta"):
            bad[name] = [-0.5]
        elif name in ("learning_rate_power", "beta_2_decay"):
            bad[name] = [0.5]
    for name, values in bad.items():
        for value in values:
            with pytest.raises(ValueError, match=f"{cls.__name__}: {name}"):
                cls(**{name: value})
    with pytest.raises(TypeError, match='"clipnorm"'):
        cls(clipnrom=1.0)
    with pytest.raises(ValueError, match="only one of"):
        cls(clipnorm=1.0, clipvalue=1.0)


@each_class
def test_found_by_name_and_copied(cls):
    for name in (cls.__name__, cls.__name__.lower()):
        assert type(keras.optimizers.get(name)) is cls
    optimizer = cls(0.25, weight_decay=0.5, use_ema=True)
    w = keras.Variable(np.ones((3, 2)), name="w")
    optimizer.exclude_from_weight_decay([w])
    optimizer.apply([np.full((3, 2), 0.5)], [w])
    data = json.loads(json.dumps(keras.optimizers.serialize(optimizer)))
    assert keras.optimizers.deserialize(data).get_config() == optimizer.get_config()
    again, v = copy.deepcopy((optimizer, w))
    third, u = pickle.loads(pickle.dumps((optimizer, w)))
    for other, variable in ((optimizer, w), (again, v), (third, u)):
        other.apply([np.full((3, 2), -0.25)], [variable])
    for other, variable in ((again, v), (third, u)):
        np.testing.assert_array_equal(variable.numpy(), w.numpy())
        assert int(other.iterations) == 2


def test_only_variables_that_it_was_built_for():
    a, b = (keras.Variable([1.0], name=name) for name in "ab")
    optimizer = keras.optimizers.SGD(0.5)
    with pytest.raises(ValueError, match="without variables"):
        optimizer.apply([[1.0]])
    optimizer.build([a, b])
    with pytest.warns(UserWarning, match="no gradients"):
        optimizer.apply([[1.0], None])
    assert (a.numpy(), b.numpy()) == (0.5, 1.0)
    with pytest.raises(ValueError, match="no gradient"):
        optimizer.apply([None, None])
    with pytest.raises(ValueError, match="2 variables"):
        optimizer.apply([[1.0]])
    with pytest.raises(ValueError, match="unknown variable"):
        optimizer.apply([[1.0]], [keras.Variable([1.0])])
    with pytest.raises(ValueError, match="shape"):
        optimizer.apply([[1.0, 2.0]], [a])
    with pytest.raises(ValueError, match="before"):
        optimizer.exclude_from_weight_decay([a])
    assert int(optimizer.apply_gradients(zip([[1.0]], [b], strict=True))) == 2


@each_class
def test_stateless_apply(cls):
    w = keras.Variable(np.ones((3, 2)), name="w")
    optimizer = cls(0.5)
    with pytest.raises(ValueError, match="built"):
        optimizer.stateless_apply([], [np.ones((3, 2))], [w.numpy()])
    optimizer.apply([np.full((3, 2), 0.5)], [w])
    start = [w.numpy()], optimizer.get_weights()
    first = optimizer.stateless_apply(start[1], [np.ones((3, 2))], start[0])
    again = optimizer.stateless_apply(start[1], [np.ones((3, 2))], start[0])
    now = [w.numpy()], optimizer.get_weights()
    for a, b in zip((*first, *start), (*again, *now), strict=True):
        for mine, theirs in zip(a, b, strict=True):
            np.testing.assert_array_equal(mine, theirs)
    optimizer.apply([np.ones((3, 2))], [w])
    np.testing.assert_array_equal(first[0][0], w.numpy())


def test_constraints_hold_after_apply():
    w = keras.Variable([1.0, -1.0])
    w.constraint = keras.constraints.NonNeg()
    keras.optimizers.SGD(0.5).apply([[4.0, -1.0]], [w])
    np.testing.assert_array_equal(w.numpy(), [0.0, 0.0])


def test_averages_are_swapped_in_and_out(device):
    model = trained(keras.optimizers.Adam(0.05, use_ema=True, ema_momentum=0.9))
    averaged = model.get_weights()  # what fit ends with
    model.optimizer.swap_averages()
    model.optimizer.swap_averages()
    for a, b in zip(model.get_weights(), averaged, strict=True):
        np.testing.assert_array_equal(a, b)
    x, y = regression()
    model.train_on_batch(x, y)
    last = model.get_weights()
    model.optimizer.swap_averages()
    assert any((a != b).any() for a, b in zip(model.get_weights(), last, strict=True))
    model.optimizer.swap_averages()
    for a, b in zip(model.get_weights(), last, strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="use_ema"):
        keras.optimizers.SGD().swap_averages()


def test_accumulated_steps_are_large_batches(device):
    small = trained(keras.optimizers.SGD(0.1, gradient_accumulation_steps=4), batch_size=8)
    assert_same_weights(small, trained(keras.optimizers.SGD(0.1), batch_size=32))
    assert 4 * int(small.optimizer.iterations) == int(small.optimizer.variables[0])


# --- Schedules ---

SCHEDULES = [
    keras.optimizers.schedules.ExponentialDecay(0.5, 3, 0.5),
    keras.optimizers.schedules.PiecewiseConstantDecay([2, 5], [0.5, 0.25, 0.125]),
    keras.optimizers.schedules.PolynomialDecay(0.5, 6, cycle=True),
    keras.optimizers.schedules.InverseTimeDecay(0.5, 3, 0.5, staircase=True),
    keras.optimizers.schedules.CosineDecay(0.1, 5, warmup_target=0.5, warmup_steps=2),
    keras.optimizers.schedules.CosineDecayRestarts(0.5, 3),
    keras.optimizers.schedules.PowerDecay(0.5, s=4, c=2.0),
    keras.optimizers.schedules.OneCycle(0.5, 8),
    keras.optimizers.schedules.CyclicalLR(0.1, 0.5, 3, mode="triangular2"),
    keras.optimizers.schedules.CyclicalLR(0.1, 0.5, 3, mode="exp_range", gamma=0.9),
]


def test_every_schedule_is_here():
    module = keras.optimizers.schedules
    names = {n for n in module.__all__ if inspect.isclass(getattr(module, n))}
    assert {type(s).__name__ for s in SCHEDULES} == names - {"LearningRateSchedule"}


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: type(s).__name__)
def test_schedules(schedule, device):
    rates = keras.optimizers.SGD(schedule).learning_rates(3, 5)
    np.testing.assert_array_equal(rates, [schedule(step) for step in range(3, 8)])
    data = json.loads(json.dumps(keras.optimizers.schedules.serialize(schedule)))
    again = keras.optimizers.schedules.deserialize(data)
    assert [again(step) for step in range(9)] == [schedule(step) for step in range(9)]
    w = keras.Variable([0.0])
    optimizer = keras.optimizers.SGD(schedule)
    for _ in range(5):
        optimizer.apply([[1.0]], [w])
    if not isinstance(schedule, keras.optimizers.schedules.OneCycle):
        assert w.numpy()[0] == pytest.approx(-sum(schedule(step) for step in range(5)), rel=1e-5)
    assert "learning_rate" not in [v.name for v in optimizer.variables]


def test_a_subclass_of_a_schedule_is_asked():
    class Doubled(keras.optimizers.schedules.ExponentialDecay):
        def __call__(self, step):
            return 2.0 * super().__call__(step)

    rates = keras.optimizers.SGD(Doubled(1.0, 1, 0.5)).learning_rates(0, 3)
    np.testing.assert_array_equal(rates, [2.0, 1.0, 0.5])


def test_one_cycle_moves_rate_and_momentum(device):
    cycle = keras.optimizers.schedules.OneCycle(0.5, 10, last_steps=2)
    assert [cycle(step) for step in (0, 4, 8)] == pytest.approx([0.05, 0.5, 0.05])
    assert cycle(9) == cycle(50) == pytest.approx(0.00005)
    assert [cycle.momentum_at(step) for step in (0, 4, 8, 20)] == [0.95, 0.85, 0.95, 0.95]
    w = keras.Variable([0.0])
    optimizer = keras.optimizers.SGD(cycle)
    expected = m = 0.0
    for step in range(10):
        optimizer.apply([[1.0]], [w])
        m = cycle.momentum_at(step) * m - cycle(step)
        expected += m
    assert w.numpy()[0] == pytest.approx(expected, rel=1e-5)


def test_cyclical_rates():
    cls = keras.optimizers.schedules.CyclicalLR
    assert [cls(1.0, 2.0, 2)(step) for step in range(5)] == [1.0, 1.5, 2.0, 1.5, 1.0]
    assert cls(1.0, 2.0, 2, mode="triangular2")(6) == 1.5
    assert cls(1.0, 2.0, 2, mode="exp_range", gamma=0.5)(2) == 1.25


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda s: s.ExponentialDecay(0.1, 0, 0.5), "decay_steps"),
        (lambda s: s.PiecewiseConstantDecay([1, 2], [0.1]), "values"),
        (lambda s: s.PiecewiseConstantDecay([2, 1], [0.1, 0.2, 0.3]), "increase"),
        (lambda s: s.CosineDecayRestarts(0.1, 5, t_mul=0.5), "t_mul"),
        (lambda s: s.CosineDecay(-0.1, 5), "initial_learning_rate"),
        (lambda s: s.PowerDecay(0.1, s=0), "s must be"),
        (lambda s: s.OneCycle(0.1, 2), "steps"),
        (lambda s: s.OneCycle(0.1, 10, last_steps=9), "last_steps"),
        (lambda s: s.OneCycle(0.1, 10, max_momentum=1.0), "max_momentum"),
        (lambda s: s.CyclicalLR(0.1, 0.2, 5, mode="square"), "triangular"),
    ],
)
def test_schedule_arguments(make, words):
    with pytest.raises(ValueError, match=words):
        make(keras.optimizers.schedules)


def test_ftrl_needs_a_rate():
    with pytest.raises(ValueError, match="above 0"):
        keras.optimizers.Ftrl(0.0).apply([[1.0]], [keras.Variable([1.0])])


# --- Optimizers around others ---


def test_a_scaled_loss_trains_alike(device):
    inner = {"learning_rate": 0.05, "weight_decay": 0.1, "global_clipnorm": 1.0}
    plain = trained(keras.optimizers.Adam(**inner), epochs=2)
    scaled = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.Adam(**inner), initial_scale=64.0, dynamic_growth_steps=5
    )
    model = trained(scaled, epochs=2)
    assert_same_weights(model, plain)
    steps = int(scaled.iterations)
    assert float(scaled.dynamic_scale) == 64.0 * 2 ** (steps // 5)
    assert int(scaled.step_counter) == steps % 5
    assert float(scaled.learning_rate) == 0.05
    scaled.learning_rate = 0.025
    assert float(scaled.inner_optimizer.learning_rate) == 0.025


def test_a_scale_that_is_too_large_is_found(device):
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.05), initial_scale=2.0**120)
    x, y = regression()
    model = network(scaled)
    before = model.get_weights()
    model.fit(x * 1e4, y * 1e4, batch_size=4, verbose=0, epochs=1)
    if keras.config.device() == "reference":
        return  # nothing is too large in float64
    assert float(scaled.dynamic_scale) < 2.0**120
    assert int(scaled.iterations) < -(-len(x) // 4)
    assert all(np.isfinite(w).all() for w in model.get_weights())
    assert before[0].shape == model.get_weights()[0].shape


def test_several_optimizers_train_their_own(device):
    chosen = keras.optimizers.OptimizerMap(keras.optimizers.SGD(0.05, momentum=0.5))
    chosen[".*bias"] = keras.optimizers.Adam(0.05)
    both = keras.optimizers.MultiOptimizer(chosen)
    x, y = regression()
    model, check = network(both), network("sgd")
    sgd, adam = keras.optimizers.SGD(0.05, momentum=0.5), keras.optimizers.Adam(0.05)
    for begin in range(0, 48, 16):
        part = slice(begin, begin + 16)
        found = check.gradients(x[part], y[part])
        for optimizer, bias in ((sgd, False), (adam, True)):
            own = [v for v in check.trainable_weights if v.path.endswith("bias") == bias]
            optimizer.apply([found[v.path] for v in own], own)
        model.train_on_batch(x[part], y[part])
    assert_same_weights(model, check)
    both.optimizers[0].learning_rate = 0.0
    biases = [v.numpy() for v in model.trainable_weights if v.path.endswith("bias")]
    model.train_on_batch(x, y)
    for a, b in zip(
        biases, [v for v in model.trainable_weights if v.path.endswith("bias")], strict=True
    ):
        np.testing.assert_array_equal(a, b.numpy())
    with pytest.raises(AttributeError, match="optimizers"):
        both.learning_rate = 0.5


def test_what_cannot_be_around_others():
    optimizers = keras.optimizers
    with pytest.raises(TypeError, match="inner_optimizer"):
        optimizers.LossScaleOptimizer("adam")
    with pytest.raises(ValueError, match="inner optimizer"):
        optimizers.LossScaleOptimizer(optimizers.SGD(), clipnorm=1.0)
    with pytest.raises(ValueError, match="around"):
        optimizers.OptimizerMap(optimizers.LossScaleOptimizer(optimizers.SGD()))
    with pytest.raises(TypeError, match="expected an optimizer"):
        optimizers.OptimizerMap("sgd")
    chosen = optimizers.OptimizerMap(optimizers.SGD(), {"a": optimizers.SGD()})
    with pytest.raises(ValueError, match="set already"):
        chosen["a"] = optimizers.SGD()
    chosen["b.*"] = chosen[".*c"] = optimizers.SGD()
    with pytest.raises(ValueError, match="all fit"):
        chosen["bc"]
    many = optimizers.MultiOptimizer(lambda variable: optimizers.SGD())
    with pytest.raises(ValueError, match="more than 8"):
        many.build([keras.Variable([1.0]) for _ in range(9)])
