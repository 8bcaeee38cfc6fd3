"""Distributions of blinks: values and tests by hand, and a run that is cut off and goes on."""

import json

import numpy as np
import pytest
from scipy.stats import ks_2samp

from talker.checkpoint import SHIPPED, read_config
from talker.experiments import blink_distributions, held_out
from talker.experiments.blink_distributions import (
    averages,
    counts,
    kept,
    lengths,
    table,
    true_lengths,
    two_samples,
)

FILM = {"clip": [0, 1, 2, 2], "lengths": [[0.2, 0.4], [], [0.4], [0.6, 0.4, 0.2]]}


def trace(*dips: int) -> np.ndarray:
    """An EAR of 0.6 over 75 frames, with blinks of 8 frames whose lowest are these."""
    ear = np.full(75, 0.6)
    for dip in dips:
        ear[dip - 3 : dip + 4] = 0.6 - 0.1 * (4 - np.abs(np.arange(-3, 4)))
    return ear


def test_lengths_are_from_open_to_open():
    assert lengths(trace(20, 50)) == [0.32, 0.32] and lengths(trace()) == []
    # Lids that move in frames 17 to 23 were open at 16 and are again at 24.
    assert true_lengths({"blinks": [[17, 24]]}) == [0.32]


def test_values_by_hand():
    assert counts(FILM).tolist() == [2, 0, 1, 3]
    assert averages(FILM) == pytest.approx([0.3, 0.4, 0.4])
    # a has the clips 0 and 1, with 1 blink a video; b the third, twice, with 2.
    told = table(FILM, ["a", "a", "b"], seed=0)
    assert told["blinks"] == {"value": 1.5, "low": 1, "high": 2, "performers": 2}
    assert told["share_without"]["value"] == 0.25
    assert told["seconds"]["value"] == 0.4 and told["seconds"]["low"] == 0.3


def test_who_never_blinks_has_no_length():
    told = table({"clip": [0, 1], "lengths": [[], [0.2]]}, ["a", "b"], seed=0)
    assert told["seconds"]["value"] == 0.2
    assert table({"clip": [0], "lengths": [[]]}, ["a"], seed=0)["seconds"]["value"] is None


def test_two_samples_that_share_nothing_are_told_apart():
    one, other = np.arange(20), np.arange(20, 50)
    told = two_samples(one, other)
    assert told["kolmogorov_smirnov"]["statistic"] == 1 and told["mann_whitney"]["statistic"] == 0
    assert max(told[name]["p"] for name in ("kolmogorov_smirnov", "mann_whitney")) < 1e-6
    assert told["videos"] == {"one": 20, "other": 30}
    same = two_samples(one, one)
    assert same["kolmogorov_smirnov"] == {"statistic": 0, "p": 1}
    assert same["mann_whitney"]["statistic"] == 200  # half of all pairs, ties among them
    assert two_samples(one, one + 5)["kolmogorov_smirnov"]["p"] == pytest.approx(
        ks_2samp(one, one + 5).pvalue, rel=0.01
    )
    assert two_samples(one, np.array([])) == {}


def test_a_trace_is_made_once(tmp_path):
    asked = []

    def make() -> np.ndarray:
        asked.append(1)
        return np.array([0.1, np.nan])

    first, again = (kept(tmp_path / "p020" / "a.npy", make) for _ in range(2))
    assert len(asked) == 1 and first.dtype == np.float32
    np.testing.assert_array_equal(first, again)


@pytest.fixture
def seen(monkeypatch) -> list[int]:
    """The noise of each film that was made: faces that blink once for an even one, else twice."""
    made: list[int] = []

    def method(still, signal, seed):
        made.append(seed)
        return np.stack([still] * 75) // 2 * 2 + np.uint8(seed % 2)

    def ear_of(frames, detector):
        return trace(20) if frames[0, 0, 0, 0] % 2 == 0 else trace(20, 50)

    monkeypatch.setattr(blink_distributions, "methods", lambda names, runs: {"ours": method})
    monkeypatch.setattr(held_out, "as_stored", lambda frames: frames)
    monkeypatch.setattr(blink_distributions, "ear_of", ear_of)
    monkeypatch.setattr(blink_distributions, "SEEDS", 3)
    monkeypatch.setattr(held_out.StoredClip, "truth", {"blinks": [[17, 24]]})
    return made


def test_a_run_that_was_cut_off_goes_on(noise_corpus, tmp_path, seen):
    out, runs = tmp_path / "blinks.json", tmp_path / "runs"
    blink_distributions.run(noise_corpus, runs, out)
    first = json.loads(out.read_text())
    assert seen == list(range(6))  # two clips, three times, each with noise of its own
    assert [len(s) for s in first["films"]["ours"]["lengths"]] == [1, 2] * 3
    assert first["films"]["ours"]["clip"] == [0, 1] * 3 and len(first["clips"]) == 2
    assert first["values"]["ours"]["blinks"]["value"] == 1.5
    assert first["tests"]["ours"]["blinks"]["videos"] == {"one": 6, "other": 2}
    assert first["circumstances"]["films"] == {"real": 2, "truth": 2, "ours": 6}
    assert list(first["tests"]) == ["ours", "truth"]

    sha = read_config(SHIPPED)["sha256"][:12]
    lost = sorted((runs / f"ours-{sha}").rglob("*.npy"))
    assert len(lost) == 6
    lost[3].unlink()
    blink_distributions.run(noise_corpus, runs, out)
    assert seen[6:] == [3]
    again = json.loads(out.read_text())
    for told in (first, again):
        told["circumstances"].pop("seconds")
    assert first == again
