"""TCD-TIMIT: 59 volunteers read 98 phonetically rich sentences each.

Harte and Gillen, "TCD-TIMIT: an audio-visual corpus of continuous speech" (2015). The clips of the
camera straight ahead are taken; the paper counts the 59 volunteers, so the three professional
lipspeakers and the camera at 30 degrees are left out.

Splits are by speaker. Of the 17 test speakers that the corpus recommends, ten are the paper's test
speakers and the other seven its validation speakers: 7 x 98 = 686, its count of samples. Everyone
else is for training, also 27, 35 and 53, whom the recommendation leaves out for their accents:
the paper's count of training samples includes them.
"""

from __future__ import annotations

import re
from pathlib import Path

from talker.corpora.clip import Clip, Corpus
from talker.corpora.layout import WrongLayout, files, folder, split_of, text_of
from talker.errors import TalkerError

RECOMMENDED_TEST = frozenset((8, 9, 15, 18, 25, 28, 33, 34, 36, 41, 44, 45, 49, 54, 55, 56, 58))
TEST = frozenset((8, 9, 15, 18, 25, 28, 33, 41, 55, 56))
VALIDATION = RECOMMENDED_TEST - TEST

_VOLUNTEER = re.compile(r"([0-5]\d)[MF]")
LAYOUT = (
    "the folder volunteers with one folder a speaker, 01M to 59F, and in it "
    "Clips/straightcam/sa1.mp4 or straightcam/sa1.mp4 with the sentence beside it in SA1.txt"
)


def clips(root: Path | str) -> list[Clip]:
    """The clips of TCD-TIMIT's volunteers, in order of their names ("01M/sa1").

    `root` holds the folder `volunteers`, or is it. The sound is the video's own. The text is the
    sentence in the .txt beside the video (whatever the case of its name), None where there is
    none; no times of words are given, because what unit the .txt counts in is not documented.

    Raises:
        TalkerError: the folder is missing, is not TCD-TIMIT, has no clip, or a .txt has no words.
    """
    root = folder(root)
    volunteers = root / "volunteers" if (root / "volunteers").is_dir() else root
    speakers = [place for place in volunteers.iterdir() if _VOLUNTEER.fullmatch(place.name)]
    if not speakers:
        raise WrongLayout(f"{root} is not TCD-TIMIT, which has {LAYOUT}.")
    found = []
    for place in speakers:
        split = split_of(int(place.name[:2]), VALIDATION, TEST)
        for below in ("Clips/straightcam", "straightcam"):
            sentences = {path.stem.lower(): path for path in files(place / below, "*.[tT][xX][tT]")}
            for video in files(place / below, "*.mp4"):
                name = video.stem.lower()
                text = read_sentence(sentences[name]) if name in sentences else None
                found.append(
                    Clip("tcd_timit", f"{place.name}/{name}", place.name, split, video, video, text)
                )
    if not found:
        raise TalkerError(f"{root} has folders of volunteers but no clip: {LAYOUT}.")
    return sorted(found, key=lambda clip: clip.name)


def read_sentence(path: Path | str) -> str:
    """The sentence of a .txt file, whose lines are "start end word" or "start end sentence".

    Raises TalkerError naming the file when it cannot be read or has no words.
    """
    lines = text_of(Path(path)).splitlines()
    text = " ".join(re.sub(r"^\s*\d+\s+\d+\s", "", line).strip() for line in lines).strip()
    if not text:
        raise TalkerError(f"{path} has no words in it: download it again or delete it.")
    return text


CORPUS = Corpus(
    name="tcd_timit",
    title="TCD-TIMIT",
    where="https://sigmedia.tcd.ie (an account, which has to be asked for)",
    licence="for research, under the terms one agrees to with the account",
    size="59 volunteers, 5782 sentences, about 6.5 hours (the videos straight ahead)",
    layout=LAYOUT,
    clips=clips,
)
