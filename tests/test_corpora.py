"""The corpora as they are downloaded: layouts, names, transcripts and splits.

Miniatures in the real containers are read back; the splits are tested on all speakers, with empty
files, because listing a corpus opens no video.
"""

import csv
import os
from collections import Counter
from pathlib import Path

import pytest
from miniature import align, copy_clip

from talker import cli
from talker.corpora import cremad, grid, lrw, tcd_timit
from talker.corpora.clip import Word
from talker.corpora.layout import spread
from talker.corpora.overview import overview
from talker.corpora.registry import CORPORA
from talker.errors import TalkerError
from talker.media import read_audio
from talker.video import read_video

GRID = Path(os.environ.get("TALKER_GRID", Path(__file__).parents[2] / "shared" / "grid"))
PAPER = GRID.parent / "paper" / "datasets.csv"


@pytest.fixture(scope="module")
def encoded(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("encoded")


def touch(path: Path, content: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def shares(clips) -> dict[str, int]:
    """Speakers of each split; fails when one is in two."""
    pairs = {(clip.speaker, clip.split) for clip in clips}
    assert len(pairs) == len({speaker for speaker, _ in pairs})
    return dict(Counter(split for _, split in pairs))


# ---- GRID


@pytest.mark.parametrize(
    ("video", "alignment"),
    [
        ("s1/bbaf2n.mpg", "align/s1/bbaf2n.align"),
        ("s1/bbaf2n.mpg", "alignments/s1/bbaf2n.align"),
        ("s1/video/bbaf2n.mpg", "s1/align/bbaf2n.align"),
        ("s1/video/mpg_6000/bbaf2n.mpg", "s1/align/bbaf2n.align"),
        ("s1/video/mpg_6000/bbaf2n.mpg", "align/bbaf2n.align"),
    ],
)
def test_grid_in_every_layout(tmp_path, encoded, video, alignment):
    copy_clip(tmp_path / video, encoded, "grid")
    touch((tmp_path / video).with_name("._bbaf2n.mpg"), "macOS puts these there")
    align(tmp_path / alignment, "bin blue at f two now")
    (clip,) = grid.clips(tmp_path)
    assert (clip.corpus, clip.name, clip.speaker) == ("grid", "s1/bbaf2n", "s1")
    assert clip.video == clip.audio == tmp_path / video
    assert clip.text == "bin blue at f two now"
    assert clip.words[0] == Word("bin", 0.2, 0.4)
    assert [word.text for word in clip.words] == clip.text.split()
    frames, fps = read_video(clip.video)
    assert frames.shape == (75, 288, 360, 3) and fps == 25
    signal, rate = read_audio(clip.audio)
    assert rate == 44100 and abs(len(signal) / rate - 3) < 0.1


def test_grid_one_speaker_alone(tmp_path):
    touch(tmp_path / "s7" / "bbaf2n.mpg")
    align(tmp_path / "alignments" / "s7" / "bbaf2n.align", "bin blue at f two now")
    (clip,) = grid.clips(tmp_path / "s7")
    assert (clip.name, clip.split, len(clip.words)) == ("s7/bbaf2n", "validation", 6)


def test_grid_without_alignments_spells_the_file_name(tmp_path):
    touch(tmp_path / "s1" / "lgbf8n.mpg")
    touch(tmp_path / "s1" / "swwzza.mpg")
    touch(tmp_path / "s1" / "trailer.mpg")
    texts = {clip.name: clip.text for clip in grid.clips(tmp_path)}
    assert texts == {
        "s1/lgbf8n": "lay green by f eight now",
        "s1/swwzza": "set white with z zero again",
        "s1/trailer": None,
    }
    assert all(clip.words == () for clip in grid.clips(tmp_path))


def test_grid_silences_within_a_sentence_are_left_out(tmp_path):
    path = touch(tmp_path / "a.align", "0 10 sil\n10 20 bin\n20 30 sp\n30 50000 blue\n\n")
    assert grid.read_alignment(path) == (Word("bin", 0.0004, 0.0008), Word("blue", 0.0012, 2.0))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"0 10 sil\n10 now\n", "line 2, is not"),
        (b"0 1.5 sil\n", "line 1, is not"),
        (b"-5 10 bin\n", "line 1, is not"),
        (b"0 10 sil\n20 10 bin\n", "line 2, ends before"),
        (b"0 10 sil\n", "has no word"),
        (b"", "has no word"),
        (b"\xff\xfe\x00binary", "is not text"),
    ],
)
def test_grid_a_malformed_alignment_is_named(tmp_path, content, said):
    touch(tmp_path / "s1" / "bbaf2n.mpg")
    touch(tmp_path / "align" / "s1" / "bbaf2n.align").write_bytes(content)
    with pytest.raises(TalkerError, match=rf"bbaf2n\.align.*{said}"):
        grid.clips(tmp_path)


def test_grid_alignments_under_another_speakers_number(tmp_path):
    """As in the archive on Zenodo, where s5 and s6 are exchanged and s20's are called s21."""
    said = {"s5": ["bbaf2n", "lgbf8n"], "s6": ["swwzza", "pgid4s"], "s20": ["brbg2n", "lbax4n"]}
    folders = {"s5": "s6", "s6": "s5", "s20": "s21", "s1": "s1"}
    said["s1"] = ["bbaf2n", "bbas1s", "bbbf6n"]  # shares a sentence with s5
    for speaker, stems in said.items():
        for stem in stems:
            touch(tmp_path / speaker / f"{stem}.mpg")
            words = grid.spelled(stem) if speaker != "s1" else "bin bin bin bin bin bin"
            align(tmp_path / "alignments" / folders[speaker] / f"{stem}.align", words)
    clips = {clip.name: clip for clip in grid.clips(tmp_path)}
    assert all(clip.words for clip in clips.values())
    assert clips["s5/bbaf2n"].text == "bin blue at f two now"
    assert clips["s1/bbaf2n"].text == "bin bin bin bin bin bin"
    assert clips["s20/lbax4n"].text == "lay blue at x four now"


def test_grid_does_not_take_another_speakers_times(tmp_path):
    """A sentence that two people say is not timed by the wrong one when an .align is missing."""
    for stem in ("bbaf2n", "lgbf8n", "swwzza"):
        touch(tmp_path / "s1" / f"{stem}.mpg")
    touch(tmp_path / "s2" / "bbaf2n.mpg")
    align(tmp_path / "align" / "s2" / "bbaf2n.align", "bin blue at f two now")
    align(tmp_path / "align" / "s1" / "lgbf8n.align", "lay green by f eight now")
    words = {clip.name: clip.words for clip in grid.clips(tmp_path)}
    assert words["s1/bbaf2n"] == ()
    assert len(words["s1/lgbf8n"]) == len(words["s2/bbaf2n"]) == 6


def test_grid_takes_the_better_of_two_copies(tmp_path):
    touch(tmp_path / "s1" / "video" / "mpg_vcd" / "bbaf2n.mpg")
    touch(tmp_path / "s1" / "video" / "mpg_6000" / "bbaf2n.mpg")
    (clip,) = grid.clips(tmp_path)
    assert clip.video.parent.name == "mpg_6000"


def test_grid_splits(tmp_path):
    for number in grid.SPEAKERS:
        touch(tmp_path / f"s{number}" / "bbaf2n.mpg")
    clips = grid.clips(tmp_path)
    assert shares(clips) == {"train": 16, "validation": 7, "test": 10}
    assert [clip.name for clip in clips] == sorted(clip.name for clip in clips)
    listed = {f"s{number}" for number in (2, 4, 11, 13, 15, 18, 19, 25, 31, 33)}
    assert {clip.speaker for clip in clips if clip.split == "test"} == listed
    held_out = {f"s{number}" for number in (3, 7, 12, 17, 23, 28, 32)}
    assert {clip.speaker for clip in clips if clip.split == "validation"} == held_out


@pytest.mark.skipif(not GRID.is_dir(), reason="GRID recordings are not here")
def test_real_grid_recordings():
    clips = grid.clips(GRID)
    assert len(clips) == 126
    for clip in clips:
        assert clip.text == grid.spelled(clip.name.removeprefix("s1/"))
        assert len(clip.words) == 6 and 0 < clip.words[0].start < clip.words[-1].end < 3
    words = {word.text: (word.start, word.end) for word in clips[0].words}
    assert clips[0].name == "s1/bbaf2n" and words["blue"] == (1.18, 1.36)


# ---- TCD-TIMIT


@pytest.mark.parametrize(
    "below", ["volunteers/01M/Clips/straightcam", "volunteers/01M/straightcam"]
)
def test_tcd_timit_in_every_layout(tmp_path, encoded, below):
    place = tmp_path / below
    copy_clip(place / "sa1.mp4", encoded, "tcd_timit")
    copy_clip(place / "si1265.mp4", encoded, "tcd_timit")
    touch(place / "SA1.txt", "0 2000 she\n2000 4000 had\n4000 9000 your dark suit\n")
    touch(tmp_path / "volunteers/01M/Clips/30degcam/sa1.mp4")
    touch(tmp_path / "lipspeakers/Lipspkr1/Clips/straightcam/sa1.mp4")
    first, second = tcd_timit.clips(tmp_path)
    assert (first.name, first.speaker, first.split) == ("01M/sa1", "01M", "train")
    assert (first.text, first.words) == ("she had your dark suit", ())
    assert (second.name, second.text) == ("01M/si1265", None)
    assert tcd_timit.clips(tmp_path / "volunteers") == [first, second]
    frames, fps = read_video(first.video)
    assert frames.shape == (20, 1080, 1920, 3) and float(fps) == pytest.approx(29.97, abs=0.01)
    assert read_audio(first.audio)[1] == 48000


def test_tcd_timit_sentences(tmp_path):
    whole = touch(tmp_path / "a.txt", "0 46797 She had your dark suit in 1 wash water.\n")
    assert tcd_timit.read_sentence(whole) == "She had your dark suit in 1 wash water."
    with pytest.raises(TalkerError, match=r"b\.txt has no words"):
        tcd_timit.read_sentence(touch(tmp_path / "b.txt", " \n"))


def test_tcd_timit_splits(tmp_path):
    for number in range(1, 60):
        sex = "MF"[number % 2]
        touch(tmp_path / "volunteers" / f"{number:02d}{sex}" / "straightcam" / "sa1.mp4")
    clips = tcd_timit.clips(tmp_path)
    assert shares(clips) == {"train": 42, "validation": 7, "test": 10}
    test = {int(clip.speaker[:2]) for clip in clips if clip.split == "test"}
    assert test == {8, 9, 15, 18, 25, 28, 33, 41, 55, 56}
    held_out = {int(clip.speaker[:2]) for clip in clips if clip.split == "validation"}
    assert held_out == {34, 36, 44, 45, 49, 54, 58}


# ---- CREMA-D


def test_cremad(tmp_path, encoded):
    copy_clip(tmp_path / "VideoFlash" / "1015_ITH_SAD_X.flv", encoded, "cremad")
    copy_clip(tmp_path / "VideoFlash" / "1001_IEO_ANG_HI.flv", encoded, "cremad")
    sound = touch(tmp_path / "AudioWAV" / "1001_IEO_ANG_HI.wav", "RIFF")
    first, second = cremad.clips(tmp_path)
    assert (first.name, first.speaker) == ("1001/1001_IEO_ANG_HI", "1001")
    assert (first.text, first.emotion, first.intensity) == ("It's eleven o'clock", "anger", "high")
    assert first.audio == sound
    assert (second.text, second.emotion) == ("I think I have a doctor's appointment", "sad")
    assert (second.split, second.intensity) == ("test", "unspecified")
    frames, fps = read_video(second.video)
    assert frames.shape == (60, 360, 480, 3) and float(fps) == pytest.approx(29.97, abs=0.01)
    signal, rate = read_audio(second.audio)  # there is no .wav: the video's own sound
    assert rate == 44100 and abs(signal).max() > 0.05


def test_cremad_names_cover_the_corpus():
    assert len(cremad.SENTENCES) == 12 and len(cremad.EMOTIONS) == 6
    assert len({text for text in cremad.SENTENCES.values()}) == 12
    seen = {
        cremad.described(Path(f"1091_{sentence}_{emotion}_{intensity}.flv"))
        for sentence in cremad.SENTENCES
        for emotion in cremad.EMOTIONS
        for intensity in cremad.INTENSITIES
    }
    assert len(seen) == 12 * 6 * 4


@pytest.mark.parametrize("stem", ["1001_XXX_ANG_XX", "1001_DFA_JOY_XX", "1001_DFA_ANG_YY", "film"])
def test_cremad_an_unknown_name_is_named(tmp_path, stem):
    touch(tmp_path / "VideoFlash" / f"{stem}.flv")
    with pytest.raises(TalkerError, match=f"{stem}.flv is not named"):
        cremad.clips(tmp_path)


def test_cremad_git_lfs_pointers_are_recognised(tmp_path):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    touch(tmp_path / "VideoFlash" / "1001_DFA_ANG_XX.flv", pointer)
    with pytest.raises(TalkerError, match="git lfs pull"):
        cremad.clips(tmp_path)


def test_cremad_splits(tmp_path):
    for actor in cremad.ACTORS:
        touch(tmp_path / "VideoFlash" / f"{actor}_DFA_ANG_XX.flv")
    clips = cremad.clips(tmp_path)
    assert shares(clips) == {"train": 71, "validation": 10, "test": 10}
    test = {int(clip.speaker) - 1000 for clip in clips if clip.split == "test"}
    assert test == {15, 20, 21, 30, 33, 52, 62, 81, 82, 89}


# ---- LRW


def test_lrw(tmp_path, encoded):
    top = tmp_path / "lipread_mp4"
    about = "Disk reference: 6101407\nChannel: BBC One\nDuration: 0.40 seconds\n"
    for part in ("train", "val", "test"):
        copy_clip(top / "ABOUT" / part / "ABOUT_00001.mp4", encoded, "lrw")
        touch(top / "ABOUT" / part / "ABOUT_00001.txt", about)
    touch(top / "WORLD" / "train" / "WORLD_00002.mp4")
    clips = lrw.clips(tmp_path)
    assert [clip.name for clip in clips] == [
        "ABOUT/test/ABOUT_00001",
        "ABOUT/train/ABOUT_00001",
        "ABOUT/val/ABOUT_00001",
        "WORLD/train/WORLD_00002",
    ]
    assert [clip.split for clip in clips] == ["test", "train", "validation", "train"]
    assert shares(clips) == {"train": 2, "validation": 1, "test": 1}
    assert clips[0].text == "about" and clips[3].words == ()
    (word,) = clips[0].words
    assert (word.start, word.end) == pytest.approx((0.38, 0.78))
    frames, fps = read_video(clips[0].video)
    assert frames.shape == (29, 256, 256, 3) and fps == 25  # as LRW ships them
    assert lrw.CORPUS.largest_angle == 10
    assert lrw.clips(top) == clips


def test_lrw_a_txt_without_a_duration_is_named(tmp_path):
    touch(tmp_path / "ABOUT" / "val" / "ABOUT_00001.mp4")
    touch(tmp_path / "ABOUT" / "val" / "ABOUT_00001.txt", "Channel: BBC One\n")
    with pytest.raises(TalkerError, match=r"ABOUT_00001\.txt has no line"):
        lrw.clips(tmp_path)


# ---- all of them

EMPTY = {
    "grid": "s1",
    "tcd_timit": "volunteers/01M/straightcam",
    "cremad": "VideoFlash",
    "lrw": "lipread_mp4/ABOUT/train",
}


@pytest.mark.parametrize("name", CORPORA)
def test_a_folder_that_is_missing_or_something_else(tmp_path, name):
    known = CORPORA[name]
    with pytest.raises(TalkerError, match="no folder .*gone"):
        known.clips(tmp_path / "gone")
    with pytest.raises(TalkerError, match=f"{tmp_path} is not .*, which has .*/") as raised:
        known.clips(tmp_path)
    assert known.layout in str(raised.value)
    (tmp_path / EMPTY[name]).mkdir(parents=True)
    with pytest.raises(TalkerError, match="no .mpg file|no clip|no .flv file"):
        known.clips(tmp_path)


def test_the_corpora_describe_themselves(capsys):
    assert set(CORPORA) >= {"grid", "tcd_timit", "cremad", "lrw"}
    for known in CORPORA.values():
        assert all((known.title, known.where, known.licence, known.size, known.layout))
    assert cli.main(["prepare", "voxceleb", "in", "--out", "out"]) == 2
    assert "no corpus 'voxceleb': choose one of grid, tcd_timit" in capsys.readouterr().err


@pytest.mark.skipif(not PAPER.is_file(), reason="the paper's tables are not here")
def test_the_test_speakers_are_the_papers():
    with PAPER.open() as file:
        rows = {row["dataset"]: row for row in csv.DictReader(file)}
    listed = {name: row["test_speakers"].split() for name, row in rows.items()}
    assert {int(number) for number in listed["GRID"]} == grid.TEST
    assert {int(number) for number in listed["TCD TIMIT"]} == tcd_timit.TEST
    assert {1000 + int(number) for number in listed["CREMA-D"]} == cremad.TEST
    # Its counts of samples: training samples were mirrored, and a few clips of each were left out.
    assert round(int(rows["GRID"]["train_samples"]) / 2000) == 16
    assert round(int(rows["GRID"]["val_samples"]) / 1000) == len(grid.VALIDATION)
    assert int(rows["TCD TIMIT"]["val_samples"]) == 98 * len(tcd_timit.VALIDATION)
    assert round(int(rows["TCD TIMIT"]["train_samples"]) / 196) == 42
    clips_of_an_actor = 7442 / len(cremad.ACTORS)
    assert round(int(rows["CREMA-D"]["val_samples"]) / clips_of_an_actor) == len(cremad.VALIDATION)
    assert round(int(rows["CREMA-D"]["train_samples"]) / (2 * clips_of_an_actor)) == 71


@pytest.mark.parametrize("count", [1, 3, 7, 10])
def test_spread_is_even_and_repeatable(count):
    numbers = list(range(100, 110))
    chosen = sorted(spread(numbers, count))
    assert len(chosen) == count and chosen == sorted(spread(numbers, count))
    gaps = [after - before for before, after in zip(chosen, chosen[1:], strict=False)]
    assert not gaps or max(gaps) - min(gaps) <= 1


# ---- talker corpora


def test_the_overview_says_what_is_here(tmp_path, encoded, capsys):
    for name in ("s1/bbaf2n", "s1/lgbf8n", "s2/bbaf2n"):
        copy_clip(tmp_path / "grid" / f"{name}.mpg", encoded, "grid")
    copy_clip(tmp_path / "lrw" / "ABOUT" / "val" / "ABOUT_00001.mp4", encoded, "lrw")
    assert cli.main(["corpora", str(tmp_path / "grid"), str(tmp_path / "lrw")]) == 0
    said = capsys.readouterr().out
    for known in CORPORA.values():
        assert f"{known.name}: {known.title}" in said
        assert all(word in said for word in known.layout.split() + known.licence.split())
    assert f"here     {tmp_path / 'grid'}: 3 clips, 2 speakers, about 0.2 minutes" in said
    assert "train: 2 clips, 1 speaker," in said and "test: 1 clip, 1 speaker," in said
    assert "validation: none" in said
    assert f"{tmp_path / 'lrw'}: 1 clip, about" in said  # who speaks in LRW is not known
    assert said.count("\n  here ") == 2


def test_the_overview_of_nothing_and_of_a_wrong_folder(tmp_path, capsys):
    assert "\n  here " not in overview()
    assert cli.main(["corpora", str(tmp_path)]) == 2
    assert f"{tmp_path} holds none of the corpora" in capsys.readouterr().err
    assert cli.main(["corpora", str(tmp_path / "gone")]) == 2
    touch(tmp_path / "s1" / "bbaf2n.mpg")  # empty: no length to be read from it
    assert f"{tmp_path}: 1 clip, 1 speaker\n" in overview([tmp_path])
