"""Measures, intervals, and figures that belong to their results."""

import json
from pathlib import Path

import numpy as np
import pytest

from talker.experiments.report import bootstrap, manifest, write_results
from talker.experiments.talking import correlation, psnr, strip
from talker.metrics.blinks import find_blinks

FIGURES = Path(__file__).parents[1] / "figures"


def test_every_figure_was_drawn_from_the_results_beside_it():
    """After a change of a result or a script: run figures/fig_*.py again."""
    assert json.loads((FIGURES / "manifest.json").read_text()) == manifest(FIGURES)


def test_bootstrap_interval_covers_the_median_and_shrinks_with_more_clips():
    rng = np.random.default_rng(3)
    few, many = bootstrap(rng.normal(5, 1, 10)), bootstrap(rng.normal(5, 1, 1000))
    assert many["low"] < 5 < many["high"]
    assert many["high"] - many["low"] < few["high"] - few["low"]


def test_bootstrap_counts_what_it_leaves_out():
    found = bootstrap([1.0, float("nan"), 3.0], np.mean)
    assert (found["value"], found["clips"], found["left_out"]) == (2.0, 2, 1)


def test_correlation_ignores_frames_without_a_face_and_refuses_constants():
    a = np.array([0.0, 1, 2, np.nan, 4])
    assert correlation(a, 2 * a + 1) == pytest.approx(1)
    assert np.isnan(correlation(a, np.ones(5)))


def test_psnr_by_hand():
    real = np.zeros((2, 4, 4, 3), np.uint8)
    assert psnr(real, real + np.uint8(16)) == pytest.approx(20 * np.log10(255 / 16))


def test_strip_has_the_still_first_and_real_above_generated():
    real = np.arange(40, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 2, 3), np.uint8)
    picture = strip(real, real + np.uint8(100), count=5)
    assert picture.shape == (8, 12, 3)
    assert (picture[:4, :2] == 0).all() and (picture[:4, 2:4] == 8).all()
    assert (picture[4:, 2:4] == 108).all()


def _trace(*dips: tuple[int, float]) -> np.ndarray:
    """An EAR of 0.6 with dips of 8 frames: a quick fall, a slow rise."""
    ear = np.full(75, 0.6)
    for start, depth in dips:
        ear[start : start + 9] -= depth * np.array([0, 0.5, 1, 1, 0.8, 0.6, 0.4, 0.2, 0])
    return ear


def test_blinks_are_found_with_their_start_end_and_depth():
    found = find_blinks(_trace((10, 0.4), (50, 0.3)), 25)
    assert [blink.start for blink in found] == [10, 50]
    assert all(2 <= blink.lowest - blink.start <= 3 for blink in found)
    assert all(abs(blink.end - blink.start - 8) <= 1 for blink in found)
    assert found[0].depth == pytest.approx(0.4 / 0.6)


def test_shallow_dips_and_noise_are_no_blinks():
    rng = np.random.default_rng(1)
    assert find_blinks(_trace((20, 0.08)) + rng.normal(0, 0.01, 75), 25) == []
    assert find_blinks(np.full(75, 0.6), 25) == []
    assert find_blinks(np.array([0.6, 0.1]), 25) == []


def test_an_eye_that_stays_closed_is_no_blink():
    ear = np.full(75, 0.6)
    ear[30:65] = 0.2
    assert find_blinks(ear, 25) == []


def test_results_appear_whole_and_read_back(tmp_path):
    write_results(tmp_path / "results/x.json", {"b": 1, "a": [2.5]})
    assert json.loads((tmp_path / "results/x.json").read_text()) == {"a": [2.5], "b": 1}
    assert [p.name for p in (tmp_path / "results").iterdir()] == ["x.json"]
