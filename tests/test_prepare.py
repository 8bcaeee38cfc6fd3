"""From recordings to stored clips: what is made, what is refused, and how it survives a kill."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import av
import numpy as np
import pytest
import small_corpus
from miniature import write_clip
from small_corpus import FRAMES, PHOTO, SMALL, contents, make, record, scene, speech

from talker.corpora import lrw
from talker.corpora.clip import Clip
from talker.errors import TalkerError
from talker.faces import CANONICAL, CANONICAL_INDICES, find_detector
from talker.media import read_audio, read_image, write_audio
from talker.preparation_report import _unusual
from talker.prepare import _check_angles, prepare, prepare_clip, prepared
from talker.store import alone_in, clips
from talker.video import read_video

GRID = Path(os.environ.get("TALKER_GRID", Path(__file__).parents[2] / "shared" / "grid"))
BLANK = np.full_like(PHOTO, 127)


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    return make(tmp_path_factory.mktemp("downloaded"))


@pytest.fixture(scope="module")
def done(root, tmp_path_factory) -> Path:
    """The small corpus, prepared without being disturbed."""
    out = tmp_path_factory.mktemp("prepared")
    prepare(SMALL, root, out, workers=1)
    return out


def clip_of(path: Path, **changes) -> Clip:
    clip = Clip("small", "s1/take", "s1", "train", path, path)
    return dataclasses.replace(clip, **changes)


# ---- what is made


def test_every_clip_is_stored_and_told_of(done):
    assert sorted(contents(done)) == [
        "contact_sheet.png",
        "corpus.json",
        "report.json",
        *(f"s1/take{n}.{kind}" for n in (0, 1) for kind in ("json", "mp4", "wav")),
        *(f"t9/take2.{kind}" for kind in ("json", "mp4", "wav")),
    ]
    report = json.loads((done / "report.json").read_text())
    assert report["clips"] == 3 and report["rejected"] == report["odd"] == {}
    assert report["kept"] == {"train": 2, "validation": 0, "test": 1, "all": 3}
    assert report["frames"] == {str(FRAMES): 3}
    assert report["landmarks"]["detection_rate"] == 1 and report["landmarks"]["filled"] == 0
    assert 30 < report["landmarks"]["inter_ocular"]["median"] < 80
    assert 0 < report["landmarks"]["jitter"]["median"] < 1
    sheet = read_image(done / "contact_sheet.png")
    assert sheet.shape == (2 * 128, 64 + 10 * 96, 3)  # two speakers


def test_training_reads_what_was_prepared(done):
    found = clips(done)
    assert [clip.name for clip in found] == ["s1/take0", "s1/take1", "t9/take2"]
    assert [(clip.speaker, clip.split) for clip in found[1:]] == [("s1", "train"), ("t9", "test")]
    for clip in found:
        frames, fps = read_video(clip.video)
        assert frames.shape == (FRAMES, 128, 96, 3) and fps == 25
        sound, rate = read_audio(clip.audio)
        assert rate == 16000 and len(sound) == 640 * FRAMES


def test_the_truth_of_a_clip(done):
    truth = clips(done)[2].truth
    assert (truth["corpus"], truth["speaker"], truth["split"]) == ("small", "t9", "test")
    assert truth["text"] == "good morning" and truth["emotion"] == "happy"
    assert truth["words"][1] == {"text": "morning", "start": 0.2, "end": 0.5}
    assert truth["fps"] == 25 and truth["frames"] == FRAMES
    assert np.shape(truth["pose"]) == (FRAMES, 3) and np.abs(truth["pose"]).max() < 40
    assert truth["preparation"]["gaps"] == [] and truth["preparation"]["faces"] == 1


def test_the_face_is_the_canonical_one_and_keeps_still(done):
    """Also by the opinion of a detector that sees nothing but the crops."""
    for clip in clips(done):
        stored = np.array(clip.truth["landmarks"])
        assert stored.shape == (FRAMES, 68, 2)
        frames, _ = read_video(clip.video)
        found = np.stack([find_detector().detect(frame)[0].landmarks for frame in frames[::5]])
        for marks in (stored, found):
            five = marks[:, list(CANONICAL_INDICES)]
            assert np.abs(five.mean(axis=0) - CANONICAL).max() < 4
            assert np.abs(five - five.mean(axis=0)).max() < 1.5
        assert np.abs(np.diff(frames.astype(int), axis=0)).mean() < 6


def test_sound_of_a_file_of_its_own(tmp_path):
    video = record(tmp_path / "a.mp4")
    sound = np.zeros(16000, np.float32)
    sound[4000] = 0.9
    write_audio(tmp_path / "a.wav", sound, 16000)
    _, heard, truth = prepared(clip_of(video, audio=tmp_path / "a.wav"))
    assert np.abs(heard).argmax() == 4000 and len(heard) == 640 * FRAMES
    assert truth["preparation"]["notes"] == []


def test_a_short_gap_is_filled_and_counted(tmp_path):
    frames = [scene(t) for t in range(45)]
    texture = np.random.default_rng(0).integers(0, 255, PHOTO.shape, np.uint8)
    frames[20:23] = [texture] * 3
    made, _, truth = prepared(clip_of(record(tmp_path / "a.mp4", frames)))
    assert truth["preparation"]["gaps"] == [3] and len(made) == 45
    marks = np.array(truth["landmarks"])
    assert np.isfinite(marks).all() and np.abs(np.diff(marks[:, 30], axis=0)).max() < 2


# ---- what is refused, and why


@pytest.mark.parametrize(
    ("frames", "sound", "reason"),
    [
        ([BLANK] * 4 + [scene(t) for t in range(11)], None, "of 15 frames are blank or predicted"),
        ([PHOTO[::-1, :, ::-1] // 8] * 3, None, "no face was found in any frame"),
        ([scene(0)] * 9 + [PHOTO[:60].repeat(4, 0)] * 6, None, "no face is seen in 6 of 15 frames"),
        (None, np.zeros(9600, np.float32), "the sound is silent"),
        (None, speech(0.3), "the sound is 0.28 s shorter than the pictures"),
    ],
    ids=["blank", "no face", "gap", "silent", "short sound"],
)
def test_clips_that_cannot_be_used(tmp_path, frames, sound, reason):
    clip = clip_of(record(tmp_path / "a.mp4", frames, sound))
    with pytest.raises(TalkerError, match=reason):
        prepared(clip)


def test_samples_that_are_not_numbers(tmp_path):
    sound = speech(FRAMES / 25)[None]
    sound[0, 4000] = np.nan
    with av.open(str(tmp_path / "a.wav"), "w") as container:
        stream = container.add_stream("pcm_f32le", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(sound, format="flt", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
    clip = clip_of(record(tmp_path / "a.mp4"), audio=tmp_path / "a.wav")
    with pytest.raises(TalkerError, match="the sound has samples that are not numbers"):
        prepared(clip)


def test_a_head_that_is_turned_further_than_the_corpus_allows(tmp_path):
    clip = clip_of(record(tmp_path / "a.mp4"))
    pose = np.array(prepared(clip)[2]["pose"])
    usual = np.abs(np.median(pose, axis=0)).max()
    with pytest.raises(TalkerError, match="turned by 2 degrees of yaw, more than 1$"):
        prepared(clip, largest_angle=1)
    prepared(clip, largest_angle=usual + 0.1)


def test_the_usual_angle_counts_and_not_that_of_one_frame():
    pose = np.tile([2.0, -9.0, 1.0], (29, 1))
    pose[:14] = (40, 40, 40)
    _check_angles(pose, 10)
    pose[14] = (40, 40, 40)
    with pytest.raises(TalkerError, match="turned by 40 degrees of pitch, more than 10$"):
        _check_angles(pose, 10)
    pose[:] = (2, -11, 1)
    with pytest.raises(TalkerError, match="turned by 11 degrees of yaw"):
        _check_angles(pose, 10)


def test_the_largest_angle_of_a_corpus_is_kept_to(tmp_path, root):
    frontal = dataclasses.replace(SMALL, largest_angle=1)
    report = prepare(frontal, root, tmp_path, workers=1)
    assert report["kept"]["all"] == 0 and len(report["rejected"]) == report["clips"] == 3
    assert all("turned by" in reason for reason in report["rejected"].values())


def test_rejections_are_kept_reported_and_not_tried_again(tmp_path):
    root = make(tmp_path / "in", 2)
    (root / "s1" / "broken.mp4").write_bytes(b"not a film")
    prepare(SMALL, root, tmp_path / "out", workers=1)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert list(report["rejected"]) == ["s1/broken"] and report["kept"]["all"] == 2
    assert "broken.mp4 cannot be decoded" in report["rejected"]["s1/broken"]
    assert len(clips(tmp_path / "out")) == 2
    record(root / "s1" / "broken.mp4")
    assert prepare(SMALL, root, tmp_path / "out", workers=1) == report
    (tmp_path / "out" / "s1" / "broken.rejected").unlink()
    assert prepare(SMALL, root, tmp_path / "out", workers=1)["kept"]["all"] == 3


def test_a_clip_of_an_unusual_length_is_pointed_out():
    lengths = {f"s1/{n}": 75 for n in range(20)} | {"s1/short": 74}
    (odd,) = _unusual(lengths, Counter(lengths.values()))
    assert odd == ("s1/short", "74 frames where others have 75: the sound is cut to 2.96 s")
    varied = {f"s1/{n}": n for n in range(20)}
    assert list(_unusual(varied, Counter(varied.values()))) == []


def test_folders_that_cannot_be_used(tmp_path, done, root):
    (tmp_path / "empty").mkdir()
    with pytest.raises(TalkerError, match="holds no clip of small; expected there: <speaker>/"):
        prepare(SMALL, tmp_path / "empty", tmp_path / "out", workers=1)
    assert not (tmp_path / "out").exists()
    other = dataclasses.replace(SMALL, name="other")
    before = contents(done)
    with pytest.raises(TalkerError, match="a corpus that was made otherwise"):
        prepare(other, root, done, workers=1)
    assert contents(done) == before
    with pytest.raises(TalkerError, match="here landmarks come from .*, in the rest of .* from X"):
        prepare_clip(SMALL.clips(root)[0], tmp_path, "X")


@pytest.mark.parametrize("out", [".", "lipread_mp4", "elsewhere"])
def test_recordings_are_never_written_over(tmp_path, out):
    """LRW's clips are called as ours are, so that one folder for both would lose them."""
    root = tmp_path / "lrw"
    write_clip(root / "lipread_mp4" / "ABOUT" / "train" / "ABOUT_00001.mp4", "lrw", frames=2)
    (root / "elsewhere").symlink_to(root / "lipread_mp4")
    before = contents(root)
    with pytest.raises(TalkerError, match=r"lrw.* choose another"):
        prepare(lrw.CORPUS, root, root / out, workers=1)
    with pytest.raises(TalkerError, match=r"lipread_mp4 is the folder of the recordings"):
        prepare(lrw.CORPUS, root / "lipread_mp4", root / "lipread_mp4", workers=1)
    assert contents(root) == before


def test_two_preparations_do_not_share_a_folder(tmp_path, root):
    with alone_in(tmp_path), pytest.raises(TalkerError, match="another process is writing to"):
        prepare(SMALL, root, tmp_path, workers=1)


# ---- the same again, and cut off


def test_the_same_input_gives_the_same_bytes(root, done, tmp_path):
    prepare(SMALL, root, tmp_path, workers=1)
    assert contents(tmp_path) == contents(done)


def test_recordings_that_went_away_are_not_rejected_for_good(root, done, tmp_path):
    """A disk is unmounted after its clips were listed, and the second preparation has it again."""
    away, listed = tmp_path / "in", SMALL.clips(shutil.copytree(root, tmp_path / "in"))
    unplugged = dataclasses.replace(SMALL, clips=lambda _: listed)
    away.rename(tmp_path / "unmounted")
    with pytest.raises(TalkerError, match="there is no file .*take0.mp4"):
        prepare(unplugged, away, tmp_path / "out", workers=1)
    assert list((tmp_path / "out").rglob("*.rejected")) == []
    (tmp_path / "unmounted").rename(away)
    prepare(SMALL, away, tmp_path / "out", workers=1)
    assert contents(tmp_path / "out") == contents(done)


def killed_at(rename: int, root: Path, out: Path) -> bool:
    """Prepare in a child process that kills itself before its n-th rename; was it killed?"""
    child = os.fork()
    if child == 0:
        replace, calls = os.replace, []

        def dying(*paths):
            calls.append(paths)
            if len(calls) == rename:
                os.kill(os.getpid(), signal.SIGKILL)
            replace(*paths)

        os.replace = dying
        try:
            prepare(SMALL, root, out, workers=1)
        finally:
            os._exit(0)  # a fork of the tests must not go on with them
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


@pytest.mark.slow
def test_killed_between_any_two_files_it_goes_on(root, done, tmp_path):
    """corpus.json, then three files for each clip, then the report and its picture."""
    find_detector()  # so that children have it
    for rename in range(1, 13):
        out = tmp_path / str(rename)
        assert killed_at(rename, root, out)
        finished = {path: path.stat().st_mtime_ns for path in out.glob("*/[!.]*.json")}
        assert len(finished) == min(3, max(0, (rename - 2) // 3))
        prepare(SMALL, root, out, workers=1)
        assert contents(out) == contents(done)  # nothing lost, nothing half-written
        assert all(path.stat().st_mtime_ns == at for path, at in finished.items())  # nothing twice
    assert not killed_at(13, root, tmp_path / "whole")


@pytest.mark.slow
def test_a_real_process_killed_from_outside_goes_on(tmp_path):
    root = make(tmp_path / "in", 5)
    program = [sys.executable, small_corpus.__file__, str(root)]
    subprocess.run([*program, str(tmp_path / "whole")], check=True, capture_output=True)
    process = subprocess.Popen([*program, str(tmp_path / "cut")], stderr=subprocess.DEVNULL)
    while not list((tmp_path / "cut").glob("*/[!.]*.json")):
        time.sleep(0.01)
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (tmp_path / "cut" / "report.json").exists()
    subprocess.run([*program, str(tmp_path / "cut")], check=True, capture_output=True)
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


@pytest.mark.skipif(not GRID.is_dir(), reason="GRID recordings are not here")
@pytest.mark.parametrize(
    ("name", "reason"),
    [("lgbf8n", "12 of 75 frames are blank"), ("bbaf2n", None), ("srbb4n", None)],
)
def test_grid_recordings(name, reason):
    path = GRID / "s1" / f"{name}.mpg"
    if reason:
        with pytest.raises(TalkerError, match=reason):
            prepared(clip_of(path))
        return
    frames, sound, truth = prepared(clip_of(path))
    assert len(frames) == (74 if name == "srbb4n" else 75) and len(sound) == 640 * len(frames)
    assert truth["preparation"]["jitter"] < 0.6 and truth["preparation"]["gaps"] == []
