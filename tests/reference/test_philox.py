"""The random bits against the known answers of Random123, and what is drawn from them."""

from __future__ import annotations

import numpy as np
import pytest

from dnnfast import reference

# Random123's kat_vectors for philox4x32, 10 rounds: counter, key, words.
KNOWN_ANSWERS = [
    ((0, 0, 0, 0), (0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN_ANSWERS)
def test_known_answers(counter: tuple[int, ...], key: tuple[int, int], words: str) -> None:
    assert " ".join(f"{word:08x}" for word in reference.philox(counter, key)) == words


def test_mask_follows_its_definition_element_by_element() -> None:
    rows, cols, rate = 7, 19, 0.3
    seed, step, stream = (5 << 32) + 9, (3 << 32) + 4, 2
    mask = reference.dropout_mask(rows, cols, rate, seed, step, stream)
    for r in range(rows):
        for c in range(cols):
            word = reference.philox(((r // 4) * 32 + c, stream, 4, 3), (9, 5))[r % 4]
            assert mask[r, c] == (word >= int(rate * 2**32))


def test_a_batch_begins_with_the_mask_of_a_shorter_one() -> None:
    long, short = (reference.dropout_mask(n, 33, 0.5, seed=1) for n in (12, 5))
    np.testing.assert_array_equal(long[:5], short)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_mask_statistics(rate: float) -> None:
    n = 1000 * 300
    mask = reference.dropout_mask(1000, 300, rate, seed=3, step=1, stream=1)
    deviation = np.sqrt(rate * (1 - rate) / n)
    assert abs(mask.mean() - (1 - rate)) < 5 * deviation
    for other in (
        reference.dropout_mask(1000, 300, rate, seed=4, step=1, stream=1),
        reference.dropout_mask(1000, 300, rate, seed=3, step=2, stream=1),
        reference.dropout_mask(1000, 300, rate, seed=3, step=1, stream=2),
        np.roll(mask, 1, axis=0),
        np.roll(mask, 1, axis=1),
    ):
        assert abs(np.corrcoef(mask.ravel(), other.ravel())[0, 1]) < 5 / np.sqrt(n)


def test_dropout_keeps_the_mean_and_its_backward_uses_the_same_mask() -> None:
    x = np.ones((400, 50))
    y = reference.dropout_forward(x, 0.2, seed=1)
    assert set(np.unique(y)) == {0.0, float(np.float32(1 / (1 - 0.2)))}
    assert abs(y.mean() - 1.0) < 0.02
    np.testing.assert_array_equal(reference.dropout_backward(x, 0.2, seed=1), y)
    np.testing.assert_array_equal(reference.dropout_forward(x, 0.0), x)
    for rate in (-0.1, 1.0, float("nan")):
        with pytest.raises(ValueError, match="rate must be in"):
            reference.dropout_forward(x, rate)


def test_shuffle() -> None:
    order = reference.shuffle(1000, seed=7, epoch=0)
    assert order.dtype == np.int64
    np.testing.assert_array_equal(np.sort(order), np.arange(1000))
    np.testing.assert_array_equal(order, reference.shuffle(1000, seed=7, epoch=0))
    assert (order != reference.shuffle(1000, seed=7, epoch=1)).any()
    assert (order != reference.shuffle(1000, seed=8, epoch=0)).any()
    key = [reference.philox((i, 0xFFFFFFFF, 2, 1), (8, 0))[0] for i in range(50)]
    expected = np.argsort(key, kind="stable")
    np.testing.assert_array_equal(reference.shuffle(50, seed=8, epoch=(1 << 32) + 2), expected)
    assert reference.shuffle(0, 1, 1).shape == (0,)
    with pytest.raises(ValueError, match="at least 0"):
        reference.shuffle(-1, 0, 0)
