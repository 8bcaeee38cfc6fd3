"""Closed lips, counted by hand."""

import numpy as np
import pytest

from talker.metrics.closure import closed_below, closures, runs, while_speaking

CLOSED = np.array([0, 1, 1, 0, 0, 0, 0, 0, 1, 0], bool)
OPENING = np.array([0.3, 0.1, 0.0, 0.2, 0.4, 0.4, 0.3, 0.3, 0.2, 0.3])
ALL = np.ones(10, bool)


def test_runs_of_frames():
    assert runs(CLOSED) == [(1, 3), (8, 9)]
    assert runs(np.ones(3, bool)) == [(0, 3)]
    assert runs(np.zeros(4, bool)) == []


def test_speaking_is_from_the_first_word_to_the_last():
    words = [{"text": "a", "start": 0.1, "end": 0.2}, {"text": "b", "start": 0.3, "end": 0.42}]
    # At 10 frames a second the middles are 0.05, 0.15 ... 0.45; the pause between words counts.
    assert while_speaking(words, 5, 10).tolist() == [False, True, True, True, False]
    assert not while_speaking([], 5, 10).any()


def test_the_threshold_lies_half_way_between_closed_and_free():
    # Closed: 0.1, 0.0, 0.2; free: 0.3, 0.2, 0.4, 0.4, 0.3, 0.3, 0.3.
    assert closed_below(OPENING, CLOSED, ALL) == pytest.approx((0.1 + 0.3) / 2)
    assert np.isnan(closed_below(OPENING, np.zeros(10, bool), ALL))
    assert np.isnan(closed_below(OPENING, CLOSED, ~ALL))


def test_silence_does_not_lower_the_threshold():
    silent = np.zeros(30)  # lips at rest before and after
    opening = np.concatenate([silent, OPENING, silent])
    closed = np.concatenate([silent, CLOSED, silent]).astype(bool)
    speaking = np.concatenate([silent, ALL, silent]).astype(bool)
    assert closed_below(opening, closed, speaking) == closed_below(OPENING, CLOSED, ALL)
    assert closed_below(opening, closed, np.ones(70, bool)) == pytest.approx(0.05)


def test_a_closure_is_counted_where_it_should_be():
    assert closures(OPENING, CLOSED, 0.15).tolist() == [True, False]
    assert closures(OPENING, CLOSED, 0.2).tolist() == [True, True]
    assert closures(OPENING + 1, CLOSED, 0.2).tolist() == [False, False]


def test_a_perfect_mouth_makes_all_and_a_still_one_none():
    closed = np.zeros(75, bool)
    for start in (12, 20, 33, 50):
        closed[start : start + 3] = True
    real = np.where(closed, 0.02, 0.2)
    real[:10] = real[60:] = 0.02  # at rest
    speaking = np.zeros(75, bool)
    speaking[10:60] = True
    below = closed_below(real, closed, speaking)
    assert closures(real, closed, below).all()
    for still in (0.0, 0.02, below, 0.2, 1.0):
        assert not closures(np.full(75, still), closed, below).any()
    trembling = 0.02 + 0.01 * np.random.default_rng(0).standard_normal(75)  # as landmarks do
    assert not closures(trembling, closed, below).any()


def test_the_mouth_must_be_open_near_the_closure():
    opening = np.zeros(10)
    opening[5] = 1  # three frames after the first run and before the second
    assert closures(opening, CLOSED, 0.5).tolist() == [True, True]
    opening = np.zeros(10)
    opening[6] = 1  # four after the first
    assert closures(opening, CLOSED, 0.5).tolist() == [False, True]


def test_a_frame_too_early_is_in_time_and_two_are_not():
    early = np.ones(10)
    early[7] = 0
    assert closures(early, CLOSED, 0.5).tolist() == [False, True]
    early = np.ones(10)
    early[6] = 0
    assert closures(early, CLOSED, 0.5).tolist() == [False, False]


def test_a_face_that_is_not_found_does_not_close_its_lips():
    assert closures(np.full(10, np.nan), CLOSED, 0.5).tolist() == [False, False]
