"""GRID: 33 people film themselves saying 1000 six-word sentences each.

Cooke, Barker, Cunningham and Shao, "An audio-visual corpus for speech perception and automatic
speech recognition" (2006). A clip is 3 s, 75 frames. Talker 21 has no video.

Splits are by speaker, 16 / 7 / 10 of 33 (50 / 20 / 30 %), as many as the paper's counts of samples
come to. The ten test speakers are the paper's. It does not name its validation speakers; ours are
spread evenly over the other 23 in order of their numbers: 3, 7, 12, 17, 23, 28 and 32.
"""

from __future__ import annotations

import re
from pathlib import Path

from talker.corpora.clip import Clip, Corpus, Word
from talker.corpora.layout import WrongLayout, files, folder, split_of, spread, text_of
from talker.errors import TalkerError
from talker.studio.grammar import Sentence

SPEAKERS = tuple(number for number in range(1, 35) if number != 21)
TEST = frozenset((2, 4, 11, 13, 15, 18, 19, 25, 31, 33))
VALIDATION = spread([number for number in SPEAKERS if number not in TEST], 7)

UNITS_PER_SECOND = 25_000  # of the times in .align files: 1000 a frame
SILENCES = frozenset(("sil", "sp"))
_SPEAKER = re.compile(r"s([1-9]\d?)")
LAYOUT = (
    "one folder a speaker, s1 to s34, with its .mpg files in it or below it (s1/bbaf2n.mpg, "
    "s1/video/mpg_6000/bbaf2n.mpg); the words' times in alignments/s1/bbaf2n.align, "
    "align/s1/bbaf2n.align or s1/align/bbaf2n.align, if at all"
)


def clips(root: Path | str) -> list[Clip]:
    """The clips of GRID, in order of their names ("s1/bbaf2n").

    `root` is laid out as LAYOUT says, or is the folder of one speaker. The text and the times of
    the words come from the .align file; without one the file name spells the text and there are
    no times.

    Raises:
        TalkerError: the folder is missing, is not GRID, has no clip, or an .align is malformed.
    """
    root = folder(root)
    base, speakers = _speakers(root)
    videos = {speaker: _videos(place) for speaker, place in speakers.items()}
    if not any(videos.values()):
        raise TalkerError(f"{root} has folders of GRID speakers but no .mpg file: {LAYOUT}.")
    alignments = _alignments(base, videos)
    found = []
    for speaker, paths in videos.items():
        number = int(speaker[1:])
        for stem, video in paths.items():
            words = ()
            if stem in alignments[speaker]:
                words = read_alignment(alignments[speaker][stem])
            text = " ".join(word.text for word in words) or spelled(stem)
            split = split_of(number, VALIDATION, TEST)
            found.append(
                Clip("grid", f"{speaker}/{stem}", speaker, split, video, video, text, words)
            )
    return sorted(found, key=lambda clip: clip.name)


def _speakers(root: Path) -> tuple[Path, dict[str, Path]]:
    """The folder of the corpus, and the folder of each speaker by its name ("s1")."""
    inside = [place for place in root.iterdir() if _is_speaker(place)]
    if inside:
        return root, {place.name: place for place in sorted(inside)}
    if _is_speaker(root.resolve()) and files(root, "**/*.mpg"):
        return root.resolve().parent, {root.resolve().name: root}
    raise WrongLayout(f"{root} is not GRID, which has {LAYOUT}.")


def _is_speaker(place: Path) -> bool:
    named = _SPEAKER.fullmatch(place.name)
    return named is not None and int(named[1]) <= 34 and place.is_dir()


def _videos(place: Path) -> dict[str, Path]:
    """The video of each sentence; of two copies (mpg_6000 and mpg_vcd) the first by its path."""
    return {path.stem: path for path in reversed(files(place, "**/*.mpg"))}


def _alignments(base: Path, videos: dict[str, dict[str, Path]]) -> dict[str, dict[str, Path]]:
    """The .align file of each sentence of each speaker.

    In the alignments.zip on Zenodo 18 folders bear another speaker's number (s5 holds what s6
    said, and so on; the originals in Sheffield are right). A speaker says 1000 of 64,000
    sentences, so the names tell whose they are: a folder that lacks more than half of a speaker's
    sentences is not that speaker's, and the one that has most of them is.
    """
    shared = [base / name for name in ("alignments", "align")]
    folders = {place.name: place for above in shared for place in above.glob("s*")}
    folders |= {speaker: base / speaker / "align" for speaker in videos if speaker not in folders}
    listed = {
        name: {path.stem: path for path in files(place, "*.align")}
        for name, place in folders.items()
    }
    if len(videos) == 1:  # the content of one speaker's align/s1.tar, unpacked where it lay
        (only,) = videos
        listed[only] = listed[only] or {p.stem: p for p in files(base / "align", "*.align")}

    def common(speaker: str, name: str) -> int:
        return len(videos[speaker].keys() & listed[name].keys())

    def belongs(speaker: str, name: str) -> bool:
        return 2 * common(speaker, name) >= len(videos[speaker])

    free = [name for name in listed if name not in videos or not belongs(name, name)]
    chosen = {}
    for speaker in videos:
        chosen[speaker] = listed[speaker]
        if not belongs(speaker, speaker):
            best = max(free, key=lambda name: common(speaker, name))
            if belongs(speaker, best):
                chosen[speaker] = listed[best]
    return chosen


def read_alignment(path: Path | str) -> tuple[Word, ...]:
    """The words of an .align file with their seconds, silences left out.

    A line is "start end word", 25,000 units a second. Raises TalkerError naming the file when it
    cannot be read, a line is anything else, or there is no word.
    """
    words = []
    advice = "download it again, or delete it to have the words spelled from the file name."
    for number, line in enumerate(text_of(Path(path)).splitlines(), start=1):
        if not line.strip():
            continue
        fields = line.split()
        if len(fields) != 3 or not (fields[0].isdecimal() and fields[1].isdecimal()):
            raise TalkerError(
                f'{path}, line {number}, is not "start end word" but "{line.strip()}": {advice}'
            )
        start, end = int(fields[0]) / UNITS_PER_SECOND, int(fields[1]) / UNITS_PER_SECOND
        if end < start:
            raise TalkerError(f"{path}, line {number}, ends before it starts: {advice}")
        if fields[2] not in SILENCES:
            words.append(Word(fields[2], start, end))
    if not words:
        raise TalkerError(f"{path} has no word in it: {advice}")
    return tuple(words)


def spelled(stem: str) -> str | None:
    """The sentence that a file name spells, None where it spells none."""
    try:
        return Sentence.from_code(stem).text
    except TalkerError:
        return None


CORPUS = Corpus(
    name="grid",
    title="GRID audio-visual sentence corpus",
    where="https://zenodo.org/records/3625687 ('talker fetch grid --out DIR' gets it), or "
    "https://spandh.dcs.shef.ac.uk/gridcorpus/",
    licence="Creative Commons Attribution 4.0 (as its Zenodo record says)",
    size="13.6 GB of video from 33 speakers, 33,000 clips of 3 s, 27.5 hours",
    layout=LAYOUT,
    clips=clips,
)
