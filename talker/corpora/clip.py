"""What every corpus says of a clip before preparation, and of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Word:
    """One word and the seconds of its clip in which it is said."""

    text: str
    start: float
    end: float


@dataclass(frozen=True)
class Clip:
    """One clip of a corpus as it was downloaded.

    name: unique within the corpus and fit for a path, speaker first ("s1/bbaf2n"); video, audio:
    files (the same one where the sound is inside the video); text: the transcript, None where
    there is none; words: with times, empty where the corpus has none; emotion and intensity: as the
    corpus names them, else None.
    """

    corpus: str
    name: str
    speaker: str
    split: str
    video: Path
    audio: Path
    text: str | None = None
    words: tuple[Word, ...] = ()
    emotion: str | None = None
    intensity: str | None = None


@dataclass(frozen=True)
class Corpus:
    """A corpus one can ask for by name.

    title, where, licence, size and layout are sentences for people; clips(root) lists the clips of
    the folder `root` in order of their names; largest_angle: clips whose pitch, yaw or roll, in the
    median of their frames, is more than this many degrees are left out, None where all are kept.
    """

    name: str
    title: str
    where: str
    licence: str
    size: str
    layout: str
    clips: Callable[[Path], list[Clip]]
    largest_angle: float | None = None
