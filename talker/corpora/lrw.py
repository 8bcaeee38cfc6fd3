"""LRW: people on BBC television say one of 500 words.

Chung and Zisserman, "Lip reading in the wild" (2016). A clip is 29 frames, 1.16 s, with the word in
the middle. The corpus is split already: train, val and test are folders. Who speaks is not known,
so every clip counts as a speaker of its own.

Near-frontal faces only, as in the paper: roll, pitch and yaw under 10 degrees. The paper does not
say of which frame; here it is the median over the clip, which a nod or a landmark that trembles
does not change. Of the three, pitch is the least certain (`talker.pose`): between about 5 and 15
degrees the shape of a face decides as much as its angle, and someone who merely holds the chin up
is left out. GRID's speakers look into a camera, and figures/results/preparation.json counts their
clips that the rule would refuse (pose, refused_by_median): nearly all of them for their pitch.
"""

from __future__ import annotations

import re
from pathlib import Path

from talker.corpora.clip import Clip, Corpus, Word
from talker.corpora.layout import WrongLayout, files, folder, text_of
from talker.errors import TalkerError

FOLDERS = {"train": "train", "val": "validation", "test": "test"}
SECONDS = 29 / 25  # of every clip
_DURATION = re.compile(r"^Duration:\s*(\d+(?:\.\d+)?)\s*seconds", re.MULTILINE)
LAYOUT = (
    "the folder lipread_mp4 with one folder a word, in it train, val and test, and there "
    "ABOUT_00001.mp4 with ABOUT_00001.txt beside it (lipread_mp4/ABOUT/train/ABOUT_00001.mp4)"
)


def clips(root: Path | str) -> list[Clip]:
    """The clips of LRW, in order of their names ("ABOUT/train/ABOUT_00001").

    `root` holds the folder `lipread_mp4`, or is it. The text is the word in small letters; the
    .txt tells how long it lasts, and it lies in the middle of the clip.

    Raises:
        TalkerError: the folder is missing, is not LRW, has no clip, or a .txt has no duration.
    """
    root = folder(root)
    top = root / "lipread_mp4" if (root / "lipread_mp4").is_dir() else root
    places = [place for name in FOLDERS for place in top.glob(f"*/{name}") if place.is_dir()]
    if not places:
        raise WrongLayout(f"{root} is not LRW, which has {LAYOUT}.")
    found = []
    for place in places:
        word, split = place.parent.name, FOLDERS[place.name]
        for video in files(place, f"{word}_*.mp4"):
            name = f"{word}/{place.name}/{video.stem}"
            times = _times(word.lower(), video.with_suffix(".txt"))
            found.append(Clip("lrw", name, name, split, video, video, word.lower(), times))
    if not found:
        raise TalkerError(f"{root} has LRW's folders but no clip: {LAYOUT}.")
    return sorted(found, key=lambda clip: clip.name)


def _times(word: str, path: Path) -> tuple[Word, ...]:
    """The word with its seconds; empty where the .txt is missing."""
    if not path.is_file():
        return ()
    said = _DURATION.search(text_of(path))
    if said is None:
        raise TalkerError(f'{path} has no line "Duration: 0.53 seconds": download it again.')
    half = min(float(said[1]), SECONDS) / 2
    return (Word(word, SECONDS / 2 - half, SECONDS / 2 + half),)


CORPUS = Corpus(
    name="lrw",
    title="Lip Reading in the Wild (LRW)",
    where="https://www.robots.ox.ac.uk/~vgg/data/lip_reading/lrw1.html",
    licence="non-commercial research, after an agreement with BBC Research & Development",
    size="538,766 clips of 1.16 s, 174 hours",
    layout=LAYOUT,
    clips=clips,
    largest_angle=10.0,
)
