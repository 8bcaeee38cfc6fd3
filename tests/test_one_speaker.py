"""A corpus of one speaker, and measures on people whose truth nobody knows."""

import json

import numpy as np
import pytest

from talker.errors import TalkerError
from talker.experiments import one_speaker
from talker.experiments.one_speaker import extract
from talker.experiments.talking import _closures
from talker.experiments.talking_tables import share
from talker.store import clips, write_clip
from talker.video import read_video


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    draw = np.random.default_rng(0)
    for speaker, count in (("s1", 12), ("s2", 3)):
        for number in range(count):
            stem = folder / speaker / f"clip{number:02d}"
            stem.parent.mkdir(exist_ok=True)
            frames = draw.integers(0, 255, (4, 32, 32, 3), np.uint8)
            truth = {"speaker": speaker, "split": "test", "landmarks": [[[0.0, 1.0]]]}
            write_clip(stem, frames, np.zeros(2560, np.float32), truth)
    (folder / "corpus.json").write_text("{}")
    return folder


@pytest.fixture
def few(monkeypatch):
    for name, size in (("TRAIN", 6), ("VALIDATION", 2), ("TEST", 2)):
        monkeypatch.setattr(one_speaker, name, size)


def test_no_sentence_is_in_two_splits(few, corpus, tmp_path):
    names = extract(corpus, "s1", tmp_path / "out")
    found = clips(tmp_path / "out")
    assert {clip.speaker for clip in found} == {"s1"} and len({c.name for c in found}) == 10
    for split, size in (("train", 6), ("validation", 2), ("test", 2)):
        assert [clip.name for clip in found if clip.split == split] == names[split]
        assert len(names[split]) == size
    assert extract(corpus, "s1", tmp_path / "again") == names
    assert extract(corpus, "s1", tmp_path / "other", seed=1) != names


def test_its_clips_are_those_of_the_corpus(few, corpus, tmp_path):
    extract(corpus, "s1", tmp_path / "out")
    whole = {clip.name: clip for clip in clips(corpus)}
    for clip in clips(tmp_path / "out"):
        assert np.array_equal(read_video(clip.video)[0], read_video(whole[clip.name].video)[0])
        assert clip.truth == whole[clip.name].truth | {"split": clip.split}
    assert json.loads((tmp_path / "out/corpus.json").read_text())["speaker"] == "s1"


def test_too_few_clips_and_a_folder_that_exists(few, corpus, tmp_path):
    with pytest.raises(TalkerError, match="3 clips of 's2', fewer than 10"):
        extract(corpus, "s2", tmp_path / "out")
    with pytest.raises(TalkerError, match="exists: choose a new folder"):
        extract(corpus, "s1", tmp_path)


def test_closed_lips_are_not_measured_where_nobody_knows_when():
    openings = np.linspace(0, 1, 9)
    words = [{"text": "bin", "start": 0.0, "end": 0.36}]
    for truth in ({}, {"words": words}, {"lips_closed": [1.0] * 3 + [0.0] * 6}):  # no words
        found = _closures(openings, openings, openings, truth)
        assert found["closures"] == 0
        assert share([found["closed"]], [found["closures"]], ["s1"])["value"] is None
