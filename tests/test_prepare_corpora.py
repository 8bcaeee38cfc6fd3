"""Every corpus from its folder as downloaded to stored clips, and GRID's real speakers."""

import os
from pathlib import Path

import numpy as np
import pytest
from miniature import align, copy_clip, performer

from talker.corpora.clip import Clip
from talker.corpora.grid import SPEAKERS
from talker.corpora.registry import CORPORA
from talker.faces import CANONICAL, CANONICAL_INDICES
from talker.media import read_audio
from talker.preparation_report import _ROWS, _spaced, contact_sheet
from talker.prepare import prepare, prepare_clip
from talker.store import StoredClip, clips
from talker.video import read_video

GRID = Path(os.environ.get("TALKER_GRID", Path(__file__).parents[2] / "shared" / "grid"))
FIVE = list(CANONICAL_INDICES)


def grid(root: Path, encoded: Path) -> None:
    for speaker in ("s1", "s2"):
        copy_clip(root / speaker / "video" / "mpg_6000" / "bbaf2n.mpg", encoded, "grid")
        align(root / speaker / "align" / "bbaf2n.align", "bin blue at f two now")


def tcd_timit(root: Path, encoded: Path) -> None:
    place = root / "volunteers" / "33F" / "Clips" / "straightcam"
    copy_clip(place / "sa1.mp4", encoded, "tcd_timit")
    (place / "SA1.txt").write_text("0 46797 She had your dark suit.\n")


def cremad(root: Path, encoded: Path) -> None:
    copy_clip(root / "VideoFlash" / "1015_ITH_SAD_X.flv", encoded, "cremad")


def lrw(root: Path, encoded: Path) -> None:
    for part in ("train", "val"):
        place = root / "lipread_mp4" / "ABOUT" / part
        copy_clip(place / "ABOUT_00001.mp4", encoded, "lrw")
        (place / "ABOUT_00001.txt").write_text("Duration: 0.40 seconds\n")


# What each miniature becomes: the names and splits of its clips, and frames of each at 25 a second.
MADE = {
    "grid": (grid, {"s1/bbaf2n": "train", "s2/bbaf2n": "test"}, 75),
    "tcd_timit": (tcd_timit, {"33F/sa1": "test"}, 17),
    "cremad": (cremad, {"1015/1015_ITH_SAD_X": "test"}, 50),
    "lrw": (lrw, {"ABOUT/train/ABOUT_00001": "train", "ABOUT/val/ABOUT_00001": "validation"}, 29),
}
# Text, emotion, and the first word with its times.
TRUE = {
    "grid": ("bin blue at f two now", None, [("bin", 0.2, 0.4)]),
    "tcd_timit": ("She had your dark suit.", None, []),
    "cremad": ("I think I have a doctor's appointment", "sad", []),
    "lrw": ("about", None, [("about", 0.38, 0.78)]),
}


def misplaced(clip: StoredClip) -> np.ndarray:
    """How far the five points of alignment are from where they have to be, (T, 5) pixels."""
    return np.linalg.norm(np.array(clip.truth["landmarks"])[:, FIVE] - CANONICAL, axis=-1)


@pytest.mark.slow
@pytest.mark.parametrize("name", CORPORA)
def test_a_corpus_as_downloaded_becomes_clips(tmp_path, tmp_path_factory, name):
    make, splits, length = MADE[name]
    make(tmp_path / "in", tmp_path_factory.mktemp("encoded"))
    report = prepare(CORPORA[name], tmp_path / "in", tmp_path / "out", workers=1)
    assert report["rejected"] == report["odd"] == {}
    assert report["frames"] == {str(length): len(splits)}
    stored = clips(tmp_path / "out")
    assert {clip.name: clip.split for clip in stored} == splits
    for clip in stored:
        truth = clip.truth
        assert truth["corpus"] == name
        said = [(w["text"], round(w["start"], 2), round(w["end"], 2)) for w in truth["words"]]
        assert (truth["text"], truth["emotion"], said[:1]) == TRUE[name]
        frames, fps = read_video(clip.video)
        assert frames.shape == (length, 128, 96, 3) and fps == 25
        assert misplaced(clip).max() < 3
        sound, rate = read_audio(clip.audio)
        assert rate == 16000 and len(sound) == 640 * length
        assert abs(delay(sound, performer()[1][: len(sound)])) < 0.04  # a frame


def delay(sound: np.ndarray, said: np.ndarray, rate: int = 16000) -> float:
    """Seconds by which a sound comes later than what was said."""
    size = 2 * len(said)
    product = np.fft.rfft(sound, size) * np.fft.rfft(said, size).conj()
    lag = int(np.fft.irfft(product, size).argmax())
    return (lag if lag < len(said) else lag - size) / rate


# ---- real speakers


@pytest.fixture(scope="module")
def six(tmp_path_factory) -> Path:
    """A clip of each of the six GRID speakers who are here, stored."""
    out = tmp_path_factory.mktemp("six")
    (out / "corpus.json").write_text("{}")
    videos = [GRID / "s1" / "bbaf2n.mpg", *sorted((GRID / "speakers").glob("*.mpg"))]
    for path in videos:
        clip = Clip("grid", f"{path.stem}/{path.stem}", path.stem, "train", path, path)
        prepare_clip(clip, out, "DlibDetector")
    return out


@pytest.mark.slow
@pytest.mark.skipif(not GRID.is_dir(), reason="GRID recordings are not here")
def test_real_speakers_are_all_aligned_alike(six):
    stored = clips(six)
    assert len(stored) == 6
    for clip in stored:
        away = misplaced(clip)
        assert away.mean(axis=0).max() < 3 and away.max() < 3.5
    sheet = contact_sheet({clip.speaker: [clip.video.with_suffix("")] for clip in stored})
    assert sheet.shape == (6 * 128, 64 + 10 * 96, 3)


def test_all_of_grids_speakers_are_on_the_sheet():
    speakers = [f"s{number}" for number in SPEAKERS]
    assert _spaced(speakers, _ROWS) == speakers and len(speakers) == 33
