"""Motion in silence: masks and measures by hand, and all of it on films that are known."""

import numpy as np
import pytest
from PIL import Image
from twice import run_twice

from talker.errors import TalkerError
from talker.experiments import silence
from talker.experiments.silence import (
    MESH,
    jitter,
    lip_motion,
    longest,
    measure,
    mouth_motion,
    parted,
    picture,
    silent,
    spoken,
    table,
    together,
)
from talker.store import write_clip

PHONEMES = [{"symbol": "b", "start": 0.40, "end": 0.50}, {"symbol": "a", "start": 0.50, "end": 0.6}]


def test_silence_keeps_away_from_phonemes():
    quiet, loud = silent(PHONEMES, 25, 25, margin=0.1), spoken(PHONEMES, 25, 25)
    # Middles are at 0.02, 0.06 ... seconds: speech at 0.42 to 0.58, silence to 0.30 and from 0.70.
    assert np.flatnonzero(loud).tolist() == [10, 11, 12, 13, 14]
    assert np.flatnonzero(quiet).tolist() == [*range(8), *range(17, 25)]
    assert silent([], 3, 25).all() and not spoken([], 3, 25).any()


def test_differences_lie_within_silence():
    mask = np.array([True, True, True, False, True, True])
    assert together(mask, 2).tolist() == [True, True, False, False, True]
    assert together(mask, 3).tolist() == [True, False, False, False]
    # Of frames 0 and 1, 1 and 2, 4 and 5 for silence; of speech there is one frame only.
    means = parted(np.array([1.0, 2.0, 40.0, 50.0, 6.0]), mask, ~mask)
    assert means[0] == 3 and np.isnan(means[1])


def face(lips: np.ndarray) -> np.ndarray:
    """Landmarks (T, 68, 2) with eyes 50 apart, whose upper lips are at these heights (T,)."""
    marks = np.zeros((len(lips), 68, 2))
    marks[:, 45, 0] = 50
    marks[:, 48:58, 1] = lips[:, None]
    return marks


def test_jitter_is_what_trembles_and_not_what_moves_on():
    steady = face(np.linspace(0, 5, 9))
    assert jitter(steady) == pytest.approx(np.zeros(7), abs=1e-9)
    assert jitter(steady + np.arange(9)[:, None, None] ** 2) == pytest.approx(np.zeros(7), abs=1e-9)
    # Up and down by 1: each half of the lips goes by 0.5 from their middle, there and back.
    trembling = face(np.arange(9) % 2)
    assert jitter(trembling) == pytest.approx(np.full(7, 1000 * 1.0 / 50))


def test_a_table_by_hand():
    nan = float("nan")
    rows = [
        {"real": {"mouth": (1.0, 4.0)}, "ours": {"mouth": (2.0, 4.0)}},
        {"real": {"mouth": (3.0, 4.0)}, "ours": {"mouth": (4.0, 8.0)}},
        {"real": {"mouth": (nan, 9.0)}, "ours": {"mouth": (nan, 9.0)}},
    ]
    told = table(rows, [*"abc"], seed=0)
    assert told["real"]["mouth"]["silence"]["value"] == 2
    assert told["real"]["mouth"]["silence"]["left_out"] == 1
    assert told["real"]["mouth"]["ratio"]["value"] == 0.5
    assert told["ours"]["mouth"]["ratio"]["value"] == 0.5
    assert told["ours"]["mouth"]["against_real"]["value"] == 1.5
    assert told["real"]["mouth"]["against_real"] == {"value": 1, "low": 1, "high": 1}


def test_the_longest_silence():
    assert longest(np.array([True, False, True, True, False, True, True])) == (2, 4)
    assert longest(np.zeros(3, bool)) == (0, 0)


def test_a_row_of_the_strip_is_lower_halves():
    film = np.arange(20, dtype=np.uint8)[:, None, None, None] * np.ones((1, 8, 6, 3), np.uint8)
    shown = picture({"real": film, "ours": film + np.uint8(100)}, 5)
    assert shown.shape == (8, silence.SHOWN * 6, 3)
    assert shown[0, ::6, 0].tolist() == list(range(5, 5 + silence.SHOWN))
    assert (shown[4:, 0, 0] == 105).all()


def textured(seed: int) -> np.ndarray:
    """A picture (160, 160, 3) that motion can be seen in everywhere."""
    noise = np.random.default_rng(seed).integers(0, 255, (40, 40, 3), np.uint8)
    return np.asarray(Image.fromarray(noise).resize((160, 160), Image.Resampling.BICUBIC))


def test_a_head_that_sways_does_not_move_the_mouth():
    """Two films: all goes to the right by a pixel a frame; the mouth alone does."""
    scene, mouth = textured(0), textured(1)
    sways = np.stack([scene[10:138, 20 - t : 116 - t] for t in range(4)])
    speaks = np.stack([scene[10:138, 20:116]] * 4)
    for t, frame in enumerate(speaks):
        frame[73:] = mouth[73:128, 20 - t : 116 - t]
    assert mouth_motion(sways).shape == (3,)
    assert mouth_motion(sways).max() < 0.1
    assert mouth_motion(speaks) == pytest.approx([0.9, 0.9, 0.9], abs=0.1)  # smoothed at its edge


def test_what_is_left_of_lips_when_the_head_turns_and_comes_nearer():
    """Landmarks that are turned, scaled and shifted, and lips that go down by 2 besides."""
    marks = np.random.default_rng(0).uniform(0, 96, (68, 2))
    turn = 1.05 * np.array([[np.cos(0.1), -np.sin(0.1)], [np.sin(0.1), np.cos(0.1)]])
    later = marks @ turn.T + [3, -1]
    assert lip_motion(np.stack([marks, later])) == pytest.approx([0], abs=1e-9)
    later[48:68, 1] += 2
    assert lip_motion(np.stack([marks, later])) == pytest.approx([2])


def clip_of(draw: np.random.Generator, speaking: slice) -> np.ndarray:
    """A film (50, 128, 96, 3) of noise whose mouth moves to and fro while it speaks only."""
    film = np.stack([draw.integers(0, 255, (16, 12, 3), np.uint8).repeat(8, 0).repeat(8, 1)] * 50)
    mouth = film[speaking][1::2, 72:]
    mouth[:] = np.roll(mouth, 2, axis=2)
    return film


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Two people who speak from 0.8 to 1.2 seconds of 2."""
    folder, draw = tmp_path_factory.mktemp("corpus"), np.random.default_rng(0)
    for speaker, split in (("p020", "validation"), ("p022", "test")):
        (folder / speaker).mkdir()
        truth = {
            "speaker": speaker,
            "split": split,
            "phonemes": [{"symbol": "a", "start": 0.8, "end": 1.2}],
            "landmarks": draw.uniform(0, 96, (50, 68, 2)).round(2).tolist(),
        }
        film = clip_of(draw, slice(20, 30))
        write_clip(folder / speaker / f"{speaker}_000", film, np.zeros(32000, np.float32), truth)
    (folder / "corpus.json").write_text("{}")
    return folder


def test_a_film_that_rests_in_silence_has_a_small_ratio(monkeypatch):
    monkeypatch.setattr(silence, "fit_crops", lambda frames, detector: face(np.zeros(len(frames))))
    film = clip_of(np.random.default_rng(1), slice(20, 30))
    truth = {"phonemes": [{"start": 0.8, "end": 1.2}], "landmarks": face(np.arange(50) % 2)}
    row = measure({"real": film, "restless": film[::-1][:50]}, truth, None)
    quiet, loud = row["real"]["mouth"]
    assert quiet < 0.05 * loud
    assert row["real"]["jitter"] == (0, 0)
    assert row[MESH]["jitter"] == pytest.approx((20, 20))


@pytest.mark.slow
def test_the_results_file_says_everything_twice(corpus, tmp_path, monkeypatch):
    draw = np.random.default_rng(2)
    restless = clip_of(draw, slice(0, 50))
    monkeypatch.setattr(silence, "methods", lambda names, runs: {"ours": lambda *_: restless})
    first, again = run_twice(silence.run, corpus, tmp_path, "silence.json")
    assert "NaN" not in (tmp_path / "first" / "silence.json").read_text()
    assert first == again
    strips = [(tmp_path / n / "silence_strip.png").read_bytes() for n in ("first", "again")]
    assert strips[0] == strips[1]
    assert Image.open(tmp_path / "first" / "silence_strip.png").size == (9 * 96, 2 * 64)
    assert first["films"] == ["real", "ours", "still"]
    assert set(first["values"]) == {"real", "mesh", "ours", "still"}
    moves = {name: first["values"][name]["mouth"]["silence"]["value"] for name in first["films"]}
    assert moves["ours"] > 5 * moves["real"] >= 0 and first["example"]["clip"] == "p022/p022_000"
    assert first["values"]["ours"]["mouth"]["ratio"]["value"] == pytest.approx(1, abs=0.2)
    assert first["values"]["real"]["mouth"]["silence"]["clips"] == 2


def test_a_corpus_without_phonemes_is_refused(noise_corpus, tmp_path):
    with pytest.raises(TalkerError, match="does not tell its phonemes"):
        silence.run(noise_corpus, tmp_path, tmp_path / "silence.json")
