"""The rendered corpus on disk: its files, its truth, and how it recovers from being cut off."""

import functools
import json
import re
from pathlib import Path

import numpy as np
import pytest
from small_corpus import SMALL, make

from talker import store
from talker.corpora import rendered
from talker.corpora.clip import SPLITS
from talker.corpora.rendered import render_clip, render_corpus, split_of
from talker.errors import TalkerError
from talker.faces import CANONICAL, CANONICAL_INDICES, DlibDetector
from talker.media import read_audio
from talker.metrics.landmarks import eye_aspect_ratio, inner_lip_distance, inter_ocular_distance
from talker.pose import head_pose
from talker.prepare import prepared
from talker.store import clips
from talker.studio import take
from talker.studio.camera import Camera
from talker.studio.performer import performer
from talker.studio.script import CLASSES
from talker.video import read_video

FEW = 4  # frames of the clips that are really rendered


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def times(folder: Path) -> dict[str, int]:
    return {p.name: p.stat().st_mtime_ns for p in folder.rglob("p*_*.*")}


@pytest.fixture(autouse=True)
def short_clips(monkeypatch):
    monkeypatch.setattr(rendered, "FRAMES", FEW)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    """Two clips of one performer, rendered by the corpus' own function."""
    folder = tmp_path_factory.mktemp("corpus")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rendered, "FRAMES", FEW)
        render_corpus(folder, performers=1, clips=2, seed=0, workers=1)
    return folder


@pytest.fixture(scope="module")
def truths() -> list[dict]:
    """The truth of three whole clips of two performers, without their pixels."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rendered, "FRAMES", 75)
        blank = np.zeros((128, 96, 3), np.uint8)
        patch.setattr(Camera, "render", lambda *_: blank)
        return [render_clip(number, clip)[2] for number, clip in ((0, 0), (0, 1), (1, 0))]


@pytest.fixture(scope="module")
def acted() -> dict[str, dict]:
    """The truth of a whole clip of each class, without its pixels."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rendered, "FRAMES", 75)
        blank = np.zeros((128, 96, 3), np.uint8)
        patch.setattr(Camera, "render", lambda *_: blank)
        return {kind: render_clip(1, 2, kind=kind)[2] for kind in CLASSES}


# ---- what is on disk


def test_every_clip_has_its_three_files_and_no_other(corpus):
    assert sorted(contents(corpus)) == [
        "corpus.json",
        *(f"p000/p000_{clip:03d}.{kind}" for clip in (0, 1) for kind in ("json", "mp4", "wav")),
    ]
    about = json.loads((corpus / "corpus.json").read_text())
    made = {"kind": "rendered", "seed": 0, "performers": 1, "clips": 2, "sentences": "grid"}
    assert about == made


def test_video_and_sound_are_what_training_reads(corpus):
    for clip in clips(corpus):
        frames, fps = read_video(clip.video)
        assert frames.shape == (FEW, 128, 96, 3) and fps == 25
        signal, rate = read_audio(clip.audio)
        assert rate == 16000 and signal.shape == (48000,)  # a GRID clip's three seconds
        assert 0.02 < np.abs(signal).max() <= 1
        played, _ = read_audio(clip.video)
        assert len(played) > 0


def test_the_video_is_the_frames_that_were_rendered(corpus):
    frames, signal, truth = render_clip(0, 1)
    clip = clips(corpus)[1]
    stored, _ = read_video(clip.video)
    assert np.abs(stored.astype(float) - frames).mean() < 3  # H.264 loses little at crf 12
    assert np.abs(read_audio(clip.audio)[0] - signal).max() < 1e-3
    assert clip.truth == truth


def test_clips_say_whose_they_are(corpus):
    found = clips(corpus)
    assert [clip.name for clip in found] == ["p000/p000_000", "p000/p000_001"]
    assert {(c.speaker, c.split) for c in found} == {("p000", "train")}
    assert found[0].truth["text"] != found[1].truth["text"]
    assert len(clips(corpus, "train")) == 2
    with pytest.raises(TalkerError, match="no clip of the split test: render or prepare more"):
        clips(corpus, "test")


def test_a_folder_without_a_corpus_is_named(tmp_path):
    with pytest.raises(TalkerError, match="holds no corpus: make one with 'talker render"):
        clips(tmp_path)
    (tmp_path / "corpus.json").write_text("{}")
    with pytest.raises(TalkerError, match="no clip of the split any"):
        clips(tmp_path)


def test_splits_share_no_performer_and_hold_out_both_genders():
    splits = [split_of(number) for number in range(48)]
    assert [splits.count(s) for s in SPLITS] == [40, 4, 4]
    for name in SPLITS:
        numbers = [n for n, s in enumerate(splits) if s == name]
        assert sum(n % 2 for n in numbers) * 2 == len(numbers)  # odd numbers are men
    assert splits[:20] == ["train"] * 20  # a small corpus is all for training


# ---- the truth


def test_the_truth_says_who_and_what(truths):
    for truth, speaker, gender in zip(
        truths, ("p000", "p000", "p001"), ("female", "female", "male"), strict=True
    ):
        assert truth["speaker"] == speaker and truth["gender"] == gender
        assert 18 <= truth["age"] <= 75
        assert sum(truth["ancestry"].values()) == pytest.approx(1, abs=0.002)
        assert truth["wears"] == performer(int(truth["speaker"][1:])).wears
        assert truth["fps"] == 25 and len(truth["code"]) == 6
        words = truth["text"].split()
        assert [word["text"] for word in truth["words"]] == words and len(words) == 6
    assert len({truth["text"] for truth in truths}) == 3


def documented() -> dict[str, str]:
    """Names and meanings of the truth, from the only place where they are written."""
    _, listed = rendered.__doc__.split("mean the same there.\n")
    return dict(re.findall(r"^    (\w+) {2,}(\S.*)$", listed, re.MULTILINE))


@pytest.mark.parametrize("kind", CLASSES)
def test_the_truth_is_what_the_documentation_lists_for_every_class(acted, kind):
    truth = acted[kind]
    assert list(documented()) == list(truth)
    assert json.loads(json.dumps(truth)) == truth  # a round trip changes nothing
    count = truth["frames"]
    shapes = {"lips_closed": (), "head": (6,), "gaze": (2,), "landmarks": (68, 2)}
    for name, shape in shapes.items():
        assert f"(T{''.join(f', {n}' for n in shape)})" in documented()[name]
        assert np.shape(truth[name]) == (count, *shape)
    for name in ("class", "emotion", "intensity", "gender"):
        assert f'"{truth[name]}"' in documented()[name]
    assert set(truth["phonemes"][0]) == {"symbol", "start", "end", "stress"}
    assert set(truth["words"][0]) == {"text", "start", "end"}
    assert truth["class"] == kind and truth["corpus"] == "rendered"


def test_a_prepared_clip_and_a_rendered_one_use_the_same_names(tmp_path):
    (clip,) = SMALL.clips(make(tmp_path, 1))
    _, _, truth = prepared(clip)
    assert set(truth) - set(documented()) == {"pose", "preparation"}  # measured, not known


def test_the_head_of_the_truth_is_where_the_camera_sees_it(acted):
    truth = acted["cremad"]
    marks = np.array(truth["landmarks"])
    turned = head_pose(marks, 128, 96)
    head = np.array(truth["head"])
    for axis in range(2):  # the crop is aligned: it takes roll away
        assert np.corrcoef(turned[:, axis], head[:, axis])[0, 1] > 0.85


def test_clips_of_other_classes_are_as_long_as_what_is_said(acted):
    assert acted["grid"]["frames"] == 75
    assert 30 <= acted["cremad"]["frames"] < 125 <= acted["rich"]["frames"] <= 200
    for truth in acted.values():
        assert truth["words"][-1]["end"] < truth["frames"] / 25
        assert len(truth["words"]) == len(truth["text"].split())


def test_words_and_phonemes_follow_each_other_within_the_clip(truths):
    for truth in truths:
        for kind in ("words", "phonemes"):
            spans = np.array([(item["start"], item["end"]) for item in truth[kind]])
            assert (spans[:, 0] < spans[:, 1]).all() and spans.min() >= 0 and spans.max() <= 3
            assert (np.diff(spans[:, 0]) > 0).all()
            assert (spans[1:, 0] > spans[:-1, 1] - 0.02).all()
        assert len(truth["phonemes"]) > 2 * len(truth["words"])


def test_landmarks_are_a_face_in_the_frame(truths):
    for truth in truths:
        marks = np.array(truth["landmarks"])
        assert marks.shape == (75, 68, 2)
        assert (marks[:, 17:] > 0).all() and (marks[:, 17:] < (96, 128)).all()
        middle = marks[:, list(CANONICAL_INDICES)].mean(1)
        assert np.abs(middle - CANONICAL.mean(0)).max() < 1.5  # the head moves a little in the crop
        assert np.abs(np.diff(marks[:, 30], axis=0)).max() < 1  # and never jumps


def test_blinks_are_where_the_landmarks_close(truths):
    seen = 0
    for truth in truths:
        ear = eye_aspect_ratio(np.array(truth["landmarks"]))
        blinking = np.zeros(len(ear), bool)
        for start, end in truth["blinks"]:
            assert 0 <= start < end <= len(ear)
            blinking[start:end] = True
            assert ear[start:end].min() < 0.75 * ear[0]
            seen += 1
        assert ear[~blinking].min() > 0.8 * ear[0]  # the first frame's eyes are open
    assert seen >= 1


def test_lips_close_on_p_b_m_and_open_on_vowels(truths):
    for truth in truths:
        closed = np.array(truth["lips_closed"])
        lips = inner_lip_distance(np.array(truth["landmarks"]))
        assert closed.shape == lips.shape and closed.min() >= 0 and closed.max() <= 1
        assert lips.max() > 0.08 > 0.06 > lips[0]
        assert bool((closed == 1).any()) == any(p["symbol"] in "pbm" for p in truth["phonemes"])
        if (closed == 1).any():
            assert lips[closed == 1].max() < 0.5 * lips.max()


def test_a_detector_agrees_with_the_stored_truth(corpus):
    clip = clips(corpus)[0]
    frames, _ = read_video(clip.video)
    truth = np.array(clip.truth["landmarks"])
    detector = DlibDetector()
    for frame, marks in zip(frames[::3], truth[::3], strict=True):
        found = detector.detect(frame)[0].landmarks
        error = np.linalg.norm(found - marks, axis=1)[17:] / inter_ocular_distance(marks)
        assert error.mean() < 0.06


# ---- the same again, cut off, continued, refused


def test_the_same_seed_gives_the_same_bytes(corpus, tmp_path):
    rendered._on_set.cache_clear()
    render_corpus(tmp_path / "again", performers=1, clips=2, seed=0, workers=1)
    assert contents(tmp_path / "again") == contents(corpus)


def test_another_seed_gives_another_person_and_is_refused_in_the_same_folder(corpus):
    before = contents(corpus)
    with pytest.raises(TalkerError, match="corpus of another seed: choose another folder"):
        render_corpus(corpus, performers=1, clips=1, seed=1, workers=1)
    assert contents(corpus) == before
    mine, other = (render_clip(0, 0, seed) for seed in (0, 1))
    assert mine[2]["text"] != other[2]["text"] and mine[2]["age"] != other[2]["age"]
    assert np.abs(mine[0].astype(float) - other[0]).mean() > 10


def test_other_sentences_are_refused_in_the_same_folder(corpus):
    before = contents(corpus)
    with pytest.raises(TalkerError, match="corpus of other sentences: choose another folder"):
        render_corpus(corpus, performers=1, clips=1, workers=1, sentences="all")
    assert contents(corpus) == before
    with pytest.raises(TalkerError, match="no 'timit' sentences"):
        render_corpus(corpus, performers=1, clips=1, workers=1, sentences="timit")


def test_a_clip_is_the_same_in_a_corpus_of_all_classes(corpus, tmp_path, monkeypatch):
    short = functools.partial(take.act, frames=FEW)
    monkeypatch.setattr(take, "act", lambda speech, rng, style, *_: short(speech, rng, style))
    render_corpus(tmp_path, performers=1, clips=3, workers=1, sentences="all")
    assert [clip.truth["class"] for clip in clips(tmp_path)] == ["grid", "cremad", "rich"]
    assert json.loads((tmp_path / "corpus.json").read_text())["sentences"] == "all"
    for kind in ("json", "mp4", "wav"):
        name = f"p000/p000_000.{kind}"
        assert contents(tmp_path)[name] == contents(corpus)[name]
    signal, _ = read_audio(clips(tmp_path)[2].audio)
    assert 5 <= len(signal) / 16000 <= 8


def test_going_on_leaves_what_is_finished(corpus, tmp_path):
    folder = tmp_path / "grown"
    render_corpus(folder, performers=1, clips=1, workers=1)
    first = times(folder)
    render_corpus(folder, performers=1, clips=2, workers=1)
    assert {k: v for k, v in times(folder).items() if k in first} == first
    assert contents(folder) == contents(corpus)
    (folder / "p000" / "p000_000.json").unlink()  # a clip is there once its .json is
    kept = times(folder)
    assert [clip.name for clip in clips(folder)] == ["p000/p000_001"]
    render_corpus(folder, performers=1, clips=2, workers=1)
    assert contents(folder) == contents(corpus)
    redone = times(folder)
    assert {k for k in kept if redone[k] != kept[k]} == {"p000_000.mp4", "p000_000.wav"}


def test_a_rendering_that_is_cut_off_goes_on(corpus, tmp_path, monkeypatch):
    folder = tmp_path / "cut"

    def out_of_power(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(store, "write_audio", out_of_power)
        with pytest.raises(KeyboardInterrupt):
            render_corpus(folder, performers=1, clips=2, workers=1)
    assert (folder / "p000" / "p000_000.mp4").exists()
    with pytest.raises(TalkerError, match="no clip"):
        clips(folder)  # a video without its truth is not a clip
    render_corpus(folder, performers=1, clips=2, workers=1)
    assert contents(folder) == contents(corpus)


@pytest.mark.parametrize("counts", [(0, 1), (1, 0), (-3, 5)])
def test_an_empty_corpus_is_refused(tmp_path, counts):
    with pytest.raises(TalkerError, match="at least one performer and one clip"):
        render_corpus(tmp_path / "none", *counts)
    assert not (tmp_path / "none").exists()
