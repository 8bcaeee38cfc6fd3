"""CREMA-D: 91 actors say twelve sentences in six emotions.

Cao, Cooper, Keutmann, Gur, Nenkova and Verma, "CREMA-D: crowd-sourced emotional multimodal actors
dataset" (2014). The file name tells it all: 1001_DFA_ANG_XX is actor 1001 saying "Don't forget a
jacket" in anger of unspecified intensity.

Splits are by actor: 71 / 10 / 10 of 91. The paper says 70 / 15 / 15 %, but lists ten test actors,
and its counts of samples agree with the list: 11594 to train on, each clip of them mirrored, 819 to
validate and 820 to test are, at 7442 / 91 clips an actor, 71, 10 and 10 actors. Its test actors are
kept; the ten for validation, which it does not name, are spread evenly over the others in order of
their numbers.
"""

from __future__ import annotations

import re
from pathlib import Path

from talker.corpora.clip import Clip, Corpus
from talker.corpora.layout import WrongLayout, files, folder, split_of, spread
from talker.errors import TalkerError

ACTORS = tuple(range(1001, 1092))
TEST = frozenset(1000 + number for number in (15, 20, 21, 30, 33, 52, 62, 81, 82, 89))
VALIDATION = spread([actor for actor in ACTORS if actor not in TEST], 10)

SENTENCES = {
    "IEO": "It's eleven o'clock",
    "TIE": "That is exactly what happened",
    "IOM": "I'm on my way to the meeting",
    "IWW": "I wonder what this is about",
    "TAI": "The airplane is almost full",
    "MTI": "Maybe tomorrow it will be cold",
    "IWL": "I would like a new alarm clock",
    "ITH": "I think I have a doctor's appointment",
    "DFA": "Don't forget a jacket",
    "ITS": "I think I've seen this before",
    "TSI": "The surface is slick",
    "WSI": "We'll stop in a couple of minutes",
}
EMOTIONS = {
    "ANG": "anger",
    "DIS": "disgust",
    "FEA": "fear",
    "HAP": "happy",
    "NEU": "neutral",
    "SAD": "sad",
}
# One file of the corpus is called 1040_ITH_SAD_X.
INTENSITIES = {
    "LO": "low",
    "MD": "medium",
    "HI": "high",
    "XX": "unspecified",
    "X": "unspecified",
}
_NAME = re.compile(r"(10\d\d)_([A-Z]{3})_([A-Z]{3})_([A-Z]{1,2})")
_LFS_POINTER = b"version https://git-lfs"
LAYOUT = "VideoFlash/1001_DFA_ANG_XX.flv and AudioWAV/1001_DFA_ANG_XX.wav, for all clips"


def clips(root: Path | str) -> list[Clip]:
    """The clips of CREMA-D, in order of their names ("1001/1001_DFA_ANG_XX").

    The sound is the .wav, or the video's own where there is no .wav.

    Raises:
        TalkerError: the folder is missing, is not CREMA-D, has no clip, has a file whose name is
            none of the corpus, or has Git LFS pointers instead of files.
    """
    root = folder(root)
    if not (root / "VideoFlash").is_dir():
        raise WrongLayout(f"{root} is not CREMA-D, which has {LAYOUT}.")
    found = []
    for video in files(root / "VideoFlash", "*.flv"):
        actor, text, emotion, intensity = described(video)
        sound = root / "AudioWAV" / f"{video.stem}.wav"
        audio = sound if sound.is_file() else video
        for path in {video, audio}:
            _check_not_a_pointer(path)
        name, split = f"{actor}/{video.stem}", split_of(actor, VALIDATION, TEST)
        found.append(
            Clip("cremad", name, str(actor), split, video, audio, text, (), emotion, intensity)
        )
    if not found:
        raise TalkerError(f"{root / 'VideoFlash'} has no .flv file: CREMA-D has {LAYOUT}.")
    return sorted(found, key=lambda clip: clip.name)


def described(path: Path) -> tuple[int, str, str, str]:
    """Actor, sentence, emotion and intensity of a file name; TalkerError when it tells none."""
    parts = _NAME.fullmatch(path.stem)
    tables = (SENTENCES, EMOTIONS, INTENSITIES)
    if parts is None or any(
        code not in table for code, table in zip(parts.groups()[1:], tables, strict=True)
    ):
        raise TalkerError(
            f"{path} is not named as CREMA-D's files are (1001_DFA_ANG_XX): move it elsewhere."
        )
    sentence, emotion, intensity = parts.groups()[1:]
    return int(parts[1]), SENTENCES[sentence], EMOTIONS[emotion], INTENSITIES[intensity]


def _check_not_a_pointer(path: Path) -> None:
    """The repository keeps media in Git LFS; a clone without it has 130 bytes of text instead."""
    with path.open("rb") as file:
        if file.read(len(_LFS_POINTER)) == _LFS_POINTER:
            raise TalkerError(
                f"{path} is a Git LFS pointer, not the file: run 'git lfs pull' in the clone."
            )


CORPUS = Corpus(
    name="cremad",
    title="CREMA-D, crowd-sourced emotional multimodal actors dataset",
    where="https://github.com/CheyneyComputerScience/CREMA-D (clone it with Git LFS)",
    licence="Open Database License 1.0; its contents Database Contents License 1.0",
    size="7442 clips of 91 actors, about 5 hours",
    layout=LAYOUT,
    clips=clips,
)
